import { builtInPath, formatTime, patchType } from '@ambient/kube';
import type { KubeClient, KubeObject } from '@ambient/kube';
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

export interface EventNotice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly log: Logger;
  readonly clock: Clock;
  /** The node that Events are from; absent: no particular one. */
  readonly host?: string;
}

/** Tells users what was done with an object, and why something was not. */
export interface EventSink {
  record(component: string, about: KubeObject, notice: EventNotice): void;
}

interface Series {
  readonly path: string;
  count: number;
}

/** Events of one object that may come at once; further ones of its kind are for nobody's eyes. */
const burst = 25;
const remembered = 4096;
const longestBacklog = 2000;
/** Characters that the API takes. */
const longestMessage = 1024;

/**
 * Writes `v1 Event` objects, one request at a time behind everything else that its owner does. The same notice about the same
 * object counts up one Event. What cannot be written is dropped: events are for reading, nothing depends on them.
 */
export class EventRecorder implements EventSink {
  readonly #options: EventRecorderOptions;
  /** By object, component, reason and message; oldest first. */
  readonly #series = new Map<string, Series>();
  readonly #perObject = new Map<string, number>();
  readonly #backlog: (() => Promise<void>)[] = [];
  #writing: Promise<void> | undefined;
  #number = 0;
  #stopped = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(component: string, about: KubeObject, notice: EventNotice): void {
    if (this.#stopped || this.#backlog.length >= longestBacklog) return;
    this.#backlog.push(() => this.#write(component, about, notice));
    this.#writing ??= this.#drain();
  }

  /** Drops what waits. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#backlog.length = 0;
    await this.#writing;
  }

  async #drain(): Promise<void> {
    for (let next = this.#backlog.shift(); next !== undefined; next = this.#backlog.shift())
      try {
        await next();
      } catch (error) {
        if (!this.#stopped)
          this.#options.log.debug('an event could not be written', { error: describeError(error) });
      }
    this.#writing = undefined;
  }

  async #write(component: string, about: KubeObject, { type, reason, message }: EventNotice): Promise<void> {
    const { client, clock, host } = this.#options;
    const { name, namespace = 'default', uid, resourceVersion } = about.metadata;
    const now = formatTime(clock.nowMs());
    const key = JSON.stringify([uid, component, reason, message]);
    const known = this.#series.get(key);
    if (known !== undefined) {
      known.count++;
      await client.request({
        method: 'PATCH',
        path: known.path,
        contentType: patchType.merge,
        body: { count: known.count, lastTimestamp: now },
      });
      return;
    }
    const written = (this.#perObject.get(uid) ?? 0) + 1;
    if (written > burst) return;
    this.#perObject.set(uid, written);
    const eventName = `${name}.${(clock.nowMs() * 4096 + (this.#number++ % 4096)).toString(16)}`;
    await client.request({
      method: 'POST',
      path: builtInPath('Event', namespace),
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: eventName, namespace },
        involvedObject: {
          apiVersion: about.apiVersion,
          kind: about.kind,
          name,
          namespace,
          uid,
          resourceVersion,
        },
        type,
        reason,
        message: message.slice(0, longestMessage),
        count: 1,
        firstTimestamp: now,
        lastTimestamp: now,
        source: { component, ...(host === undefined ? {} : { host }) },
        reportingComponent: component,
        reportingInstance: host ?? component,
      },
    });
    this.#series.set(key, { path: builtInPath('Event', namespace, eventName), count: 1 });
    forgetOldest(this.#series);
    forgetOldest(this.#perObject);
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= remembered) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
