import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { PlaceHolder } from '../../zds/socket-place.ts';

/** A socket of the agent whose file somebody may remove. */
export interface KeptSocket {
  /** Whose file is in its place. */
  readonly holder: PlaceHolder;
  listenAgain(): void | Promise<void>;
}

const LOOK_INTERVAL_MS = 1000;

/** Has the agent listen again where its socket files are gone, as by a hand that removed them. */
export class SocketUpkeep implements AsyncDisposable {
  readonly #sockets: ReadonlyMap<string, KeptSocket>;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Vacant at the last look. An agent that takes a place leaves it empty for a moment, which is not this one's. */
  #vacant: ReadonlySet<string> = new Set();
  #timer: Disposable | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  /** @param sockets by the names that the log has for them */
  constructor(sockets: ReadonlyMap<string, KeptSocket>, clock: Clock, log: Logger) {
    this.#sockets = sockets;
    this.#clock = clock;
    this.#log = log;
    this.#lookLater();
  }

  /** Looks no more; settles when a look that is under way has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
    await this.#looking;
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.setTimer(LOOK_INTERVAL_MS, () => {
      this.#looking = this.#look().finally(() => this.#lookLater());
    });
  }

  async #look(): Promise<void> {
    const vacant = [...this.#sockets].filter(([, { holder }]) => holder === 'nobody');
    const again = vacant.filter(([name]) => this.#vacant.has(name));
    this.#vacant = new Set(vacant.map(([name]) => name));
    for (const [name, socket] of again) {
      try {
        await socket.listenAgain();
        this.#log.warn('a socket of this agent was removed, and is there again', { socket: name });
      } catch (error) {
        this.#log.error('a socket of this agent was removed and cannot be made anew; it is tried again', {
          socket: name,
          error: describeError(error),
        });
      }
    }
  }
}
