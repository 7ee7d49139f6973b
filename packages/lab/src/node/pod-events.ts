import { resourcePath } from '@ambient/kube';
import type { KubeClient } from '@ambient/kube';
import type { Clock, Logger } from '@ambient/runtime';

import { messageOf } from './errors.ts';
import type { NodePod } from './pod/pod-spec.ts';
import { formatTime } from './pod/pod-status.ts';

const events = { group: '', plural: 'events', namespaced: true };
const remembered = 1000;

interface Said {
  readonly path: string;
  count: number;
}

/** Events of pods: the same words again are counted and not repeated. They are for people, and lost when the API is away. */
export class PodEvents {
  readonly #client: KubeClient;
  readonly #node: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #said = new Map<string, Said>();

  constructor(client: KubeClient, node: string, clock: Clock, log: Logger) {
    this.#client = client;
    this.#node = node;
    this.#clock = clock;
    this.#log = log;
  }

  record(pod: NodePod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#log.log(type === 'Normal' ? 'debug' : 'info', message, { pod: pod.metadata.name, reason });
    const key = JSON.stringify([pod.metadata.uid, type, reason, message]);
    const said = this.#said.get(key);
    const sent = said === undefined ? this.#create(key, pod, type, reason, message) : this.#count(said);
    sent.catch((error: unknown) => this.#log.debug('an event is lost', { reason, error: messageOf(error) }));
  }

  async #create(key: string, pod: NodePod, type: string, reason: string, message: string): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const { name, namespace = '', uid } = pod.metadata;
    // Names are unique as those of a kubelet: by the time in nanoseconds, here with a count in its place.
    const unique = `${nowMs.toString(16)}${this.#said.size.toString(16).padStart(4, '0')}`;
    const eventName = `${name.slice(0, 230)}.${unique}`;
    this.#said.set(key, { path: resourcePath(events, 'v1', namespace, eventName), count: 1 });
    if (this.#said.size > remembered) this.#said.delete(this.#said.keys().next().value!);
    const time = formatTime(nowMs);
    await this.#client.request({
      method: 'POST',
      path: resourcePath(events, 'v1', namespace),
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: eventName, namespace },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
        ...{ type, reason, message: message.slice(0, 1024), count: 1 },
        ...{ firstTimestamp: time, lastTimestamp: time },
        source: { component: 'kubelet', host: this.#node },
        ...{ reportingComponent: 'kubelet', reportingInstance: this.#node },
      },
    });
  }

  async #count(said: Said): Promise<void> {
    said.count += 1;
    await this.#client.request({
      method: 'PATCH',
      path: said.path,
      contentType: 'application/merge-patch+json',
      body: { count: said.count, lastTimestamp: formatTime(this.#clock.nowMs()) },
    });
  }
}
