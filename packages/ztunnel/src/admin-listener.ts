import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { AdminServers } from './admin/admin-servers.ts';
import { ListenError } from './admin/http-endpoint.ts';

const retryMs = 500;

/**
 * Keeps the operators' ports open. While another process has them (a proxy of the same network namespace that hands over
 * its traffic to this one) they are tried again, and traffic is served without them.
 */
export class AdminListener implements AsyncDisposable {
  readonly #listen: () => Promise<AdminServers>;
  readonly #clock: Clock;
  readonly #log: Logger;
  #servers: AdminServers | undefined;
  #timer: Disposable | undefined;
  #attempt: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(listen: () => Promise<AdminServers>, clock: Clock, log: Logger) {
    this.#listen = listen;
    this.#clock = clock;
    this.#log = log;
  }

  /** The ports, once they are bound. */
  get servers(): AdminServers | undefined {
    return this.#servers;
  }

  /** Binds the ports, or begins to wait for them. @throws ListenError if they cannot be had for another reason */
  async start(): Promise<void> {
    try {
      await this.#bind();
    } catch (error) {
      if (!isTaken(error)) throw error;
      this.#log.warn(
        'the admin ports are taken, by a proxy that hands over or by another process: serving traffic without them and trying again',
        { error: describeError(error) },
      );
      this.#later();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    await this.#attempt.catch(() => {});
    await this.#servers?.[Symbol.asyncDispose]();
    this.#servers = undefined;
  }

  #bind(): Promise<void> {
    this.#attempt = this.#listen().then((servers) => {
      this.#servers = servers;
    });
    return this.#attempt;
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = this.#clock.setTimer(retryMs, () => {
      this.#bind().then(
        () => this.#log.info('the admin ports are free, listening'),
        (error: unknown) => {
          if (!isTaken(error)) this.#log.error('cannot listen', { error: describeError(error) });
          this.#later();
        },
      );
    });
  }
}

function isTaken(error: unknown): boolean {
  if (!(error instanceof ListenError)) return false;
  return (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}
