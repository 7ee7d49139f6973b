import type { Logger } from '@ambient/runtime';

import type { EventNotice, EventSink } from '../events/event-recorder.ts';
import type { NodePod } from '../objects/pod.ts';

/** What a node tells of its pods: to their users as Events, and in its log. */
export class PodEvents {
  readonly #sink: EventSink;
  readonly #log: Logger;

  constructor(sink: EventSink, log: Logger) {
    this.#sink = sink;
    this.#log = log;
  }

  record(pod: NodePod, type: EventNotice['type'], reason: string, message: string): void {
    this.#log.log(type === 'Normal' ? 'debug' : 'info', message, { pod: pod.metadata.name, reason });
    this.#sink.record('kubelet', pod, { type, reason, message });
  }
}
