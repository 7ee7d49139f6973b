import type { KubeObject } from '@ambient/kube';

import type { Controller, ControllerContext } from '../controller.ts';
import type { EventNotice } from '../../events/event-recorder.ts';
import { WorkQueue } from './work-queue.ts';

export interface QueuedControllerOptions {
  /** By which logs and Events know the controller. */
  readonly name: string;
  /** Keys that are worked on at the same time; as the queue has it if absent. */
  readonly parallel?: number;
  /** How long further changes are waited for before a look; as the queue has it if absent. Milliseconds. */
  readonly gatherMs?: number;
}

/** A controller that hears of changes, and looks at one key at a time until it is stopped. */
export abstract class QueuedController implements Controller {
  protected readonly context: ControllerContext;
  readonly #name: string;
  readonly #queue: WorkQueue;
  readonly #heard = new DisposableStack();

  protected constructor(context: ControllerContext, options: QueuedControllerOptions) {
    const { log, clock } = context;
    this.context = context;
    this.#name = options.name;
    this.#queue = new WorkQueue({ ...options, log, clock, reconcile: (key) => this.reconcile(key) });
  }

  get idle(): boolean {
    return this.#queue.idle;
  }

  async stop(): Promise<void> {
    this.#heard.dispose();
    await this.#queue.stop();
  }

  /** Brings one key into order; a number asks for another look so many milliseconds later. A failure is tried again. */
  protected abstract reconcile(key: string): Promise<number | undefined>;

  /** Listens until the controller stops. */
  protected hear(listening: Disposable): void {
    this.#heard.use(listening);
  }

  protected look(key: string): void {
    this.#queue.add(key);
  }

  /** Writes an Event about an object. */
  protected tell(
    about: KubeObject,
    reason: string,
    message: string,
    type: EventNotice['type'] = 'Normal',
  ): void {
    this.context.events.record(this.#name, about, { type, reason, message });
  }
}
