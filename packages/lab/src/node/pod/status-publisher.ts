import { Backoff } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { builtInPath, isPassing, patchType } from '@ambient/kube';
import type { Condition, KubeClient, ObjectMeta } from '@ambient/kube';

import { messageOf } from '../errors.ts';

export interface PublishedStatus {
  readonly conditions?: readonly Condition[];
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly [field: string]: unknown;
}

/** Conditions are merged by their type, so that those of others stay: what one of them no longer says has to be taken back. */
function patchOf(status: PublishedStatus): Record<string, unknown> {
  const conditions = (status.conditions ?? []).map((each) => ({ reason: null, message: null, ...each }));
  const { podIPs } = status;
  return {
    ...status,
    conditions,
    // Those of an earlier sandbox would stay beside them.
    ...(podIPs === undefined ? {} : { podIPs: [{ $patch: 'replace' }, ...podIPs] }),
  };
}

/** Tells the API server a pod's status: the newest only, one request at a time, again while the server is away. */
export class StatusPublisher {
  readonly #client: KubeClient;
  readonly #metadata: ObjectMeta;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #backoff = new Backoff({ initialMs: 200, maxMs: 5000, jitter: 0.2 });
  #wanted = '';
  #sent = '';
  #sending: Promise<void> | undefined;
  #stopped = false;

  constructor(client: KubeClient, metadata: ObjectMeta, clock: Clock, log: Logger) {
    this.#client = client;
    this.#metadata = metadata;
    this.#clock = clock;
    this.#log = log;
  }

  publish(status: PublishedStatus): void {
    this.#wanted = JSON.stringify(status);
    if (this.#wanted === this.#sent || this.#stopped) return;
    this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
  }

  /** Resolves when the newest status has been sent, or cannot be. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  /** Nothing is sent any more, except what is on its way. */
  stop(): void {
    this.#stopped = true;
  }

  async #send(): Promise<void> {
    while (this.#wanted !== this.#sent && !this.#stopped) {
      const sending = this.#wanted;
      const { name, namespace, uid } = this.#metadata;
      try {
        await this.#client.request({
          method: 'PATCH',
          path: `${builtInPath('Pod', namespace, name)}/status`,
          contentType: patchType.strategicMerge,
          body: { metadata: { uid }, status: patchOf(JSON.parse(sending) as PublishedStatus) },
        });
        this.#backoff.reset();
        this.#sent = sending;
      } catch (error) {
        this.#log.debug('a status is not told', { pod: name, error: messageOf(error) });
        // Gone, or another pod of the same name: nobody wants to know.
        if (!isPassing(error)) this.#sent = sending;
        else await this.#pause(this.#backoff.nextMs());
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(ms, resolve));
  }
}
