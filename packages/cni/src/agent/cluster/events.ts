import { randomBytes } from 'node:crypto';
import type { KubeClient, KubeObject } from '@ambient/kube';
import { builtInPath, formatTime } from '@ambient/kube';
import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';

/** Reasons of Events, as `kubectl describe` shows them. Stable. */
export type EventReason =
  | 'AmbientCaptureFailed'
  | 'AmbientCaptured'
  | 'AmbientReleaseFailed'
  | 'AmbientNotSupported'
  | 'AmbientAnnotationInvalid'
  | 'AmbientRulesRepaired'
  | 'AmbientCaptureGap'
  | 'AmbientCaptureGapClosed'
  | 'AmbientPlaintextConnections'
  | 'AmbientNetworkPolicyBlocks';

const normal: readonly EventReason[] = ['AmbientCaptured'];
/** The same is not said again of an object within this time, milliseconds. */
const REPEAT_MS = 10 * 60_000;
/** What was said is remembered of so many objects. */
const MAX_REMEMBERED = 5000;
/** A server that does not answer must not gather Events. */
const MAX_UNDER_WAY = 20;
const COMPONENT = 'istio-cni-node';
/** The API server takes 1024. */
const MAX_NOTE = 1000;

/** Tells people of what concerns an object, by Events of the Kubernetes API; nothing depends on their arrival. */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #nodeName: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #said = new Map<string, number>();
  #underWay = 0;

  constructor(client: KubeClient, nodeName: string, clock: Clock, log: Logger) {
    this.#client = client;
    this.#nodeName = nodeName;
    this.#clock = clock;
    this.#log = log;
  }

  record(object: KubeObject, reason: EventReason, note: string): void {
    const { apiVersion, kind, metadata } = object;
    const key = [metadata.uid, reason, note].join('\n');
    const nowMs = this.#clock.nowMs();
    if (nowMs < (this.#said.get(key) ?? 0) || this.#underWay >= MAX_UNDER_WAY) return;
    if (this.#said.size >= MAX_REMEMBERED) this.#said.delete(this.#said.keys().next().value!);
    this.#said.set(key, nowMs + REPEAT_MS);
    const namespace = metadata.namespace ?? 'default';
    const time = formatTime(nowMs);
    const { name, uid } = metadata;
    this.#underWay++;
    this.#client
      .request({
        method: 'POST',
        path: builtInPath('Event', namespace),
        retries: 0,
        body: {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { namespace, name: `${name.slice(0, 230)}.${randomBytes(8).toString('hex')}` },
          involvedObject: { apiVersion, kind, namespace, name, uid },
          type: normal.includes(reason) ? 'Normal' : 'Warning',
          reason,
          message: note.slice(0, MAX_NOTE),
          source: { component: COMPONENT, host: this.#nodeName },
          reportingComponent: COMPONENT,
          reportingInstance: this.#nodeName,
          firstTimestamp: time,
          lastTimestamp: time,
          count: 1,
        },
      })
      .catch((error: unknown) => this.#log.debug('an Event is lost', { reason, error: describeError(error) }))
      .finally(() => this.#underWay--);
  }
}
