import { Backoff, realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { alreadySays } from './applied-fields.ts';
import { patchType } from './client.ts';
import type { KubeClient } from './client.ts';
import { KubeStatusError } from './errors.ts';
import { kindResources, resourcePath } from './kinds.ts';
import type { KindName } from './objects.ts';
import { WriteOrder } from './write-order.ts';

/** What is to be written of one object: a server-side apply, or with `revise` a merge patch. */
export interface ApplyRequest {
  /** Of the object, see `resourcePath`. */
  readonly path: string;
  /** 'status', or absent for the object itself. */
  readonly subresource?: string;
  readonly fieldManager: string;
  /**
   * With apiVersion, kind and metadata.name; what it does not name, and was applied by this manager before, is taken away. With
   * metadata.resourceVersion it is dropped if the object has changed since: whoever follows it will look again.
   */
  readonly body: { readonly apiVersion: string; readonly kind: string; readonly [field: string]: unknown };
  /** The object as it is known: nothing is written if it already says what the body says. */
  readonly observed?: unknown;
  /**
   * For a list that the API replaces as a whole and that others write, too: an apply would make it this manager's alone, so
   * the body goes as a merge patch (RFC 7386), with metadata.resourceVersion, onto the object that it was made from. When that
   * has changed it is read anew, and this makes the body from what was read; undefined means that nothing is to be written.
   */
  readonly revise?: (current: unknown) => ApplyRequest['body'] | undefined;
}

/** Why an apply was given up. */
export interface ApplyFailure {
  readonly request: ApplyRequest;
  readonly error: unknown;
}

export interface ApplyQueueOptions {
  readonly client: Pick<KubeClient, 'request'>;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Sustained writes a second over all objects. */
  readonly perSecond: number;
  /** Writes that may be made at once after a pause; those of a second if absent. */
  readonly burst?: number;
  /** Writes of one object are spaced by this, growing while it changes again and again; 1 s if absent. Milliseconds. */
  readonly perObjectMs?: number;
  /** Requests under way at the same time; 10 if absent. */
  readonly parallel?: number;
  readonly random?: () => number;
  /** Called for what the server will not take (403, 422 and the like); a 404 is none, the object is gone. */
  readonly onFailure?: (failure: ApplyFailure) => void;
}

/** The request that applies a part of the status of an object of a followed kind. */
export function statusRequest(
  fieldManager: string,
  body: ApplyRequest['body'] & {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string };
  },
  observed?: unknown,
): ApplyRequest {
  const version = body.apiVersion.slice(body.apiVersion.lastIndexOf('/') + 1);
  const { name, namespace } = body.metadata;
  return {
    path: resourcePath(kindResources[body.kind as KindName], version, namespace, name),
    subresource: 'status',
    fieldManager,
    body,
    ...(observed === undefined ? {} : { observed }),
  };
}

interface Slot {
  waiting: ApplyRequest | undefined;
  active: boolean;
  notBeforeMs: number;
  /** Between the last write and `notBeforeMs`. */
  spaceMs: number;
  /** Growing spaces between writes of this object, and between attempts. */
  readonly spacing: Backoff;
}

const longestSpaceMs = 60_000;

/** What is fresh goes out within so long, if the server keeps up: see `WriteOrder`. */
const freshSeconds = 0.5;

/** How often it is looked which objects are quiet. */
const forgetEveryMs = 10_000;

/** How often a body is made anew in a row; whoever loses more often tries again later. */
const mostRevisions = 3;

/**
 * Writes what is to be said about objects: by server-side apply, forced, since the fields are this manager's alone; what is
 * shared by a merge patch that takes nothing from anyone (`revise`). Of several requests for one object only the last counts;
 * an object that flaps is written less and less often. What has changed lately goes before a crowd that came at once. Only a
 * leader's queue runs.
 */
export class ApplyQueue implements Disposable {
  readonly #options: ApplyQueueOptions;
  readonly #clock: Clock;
  readonly #slots = new Map<string, Slot>();
  readonly #order: WriteOrder;
  #running = false;
  #active = 0;
  #tokens: number;
  #refilledMs: number;
  #timer: Disposable | undefined;
  #timerDueMs = Infinity;
  #written = 0;
  #forgottenMs: number;

  constructor(options: ApplyQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#order = new WriteOrder(Math.max(1, Math.round(options.perSecond * freshSeconds)));
    this.#tokens = this.#burst;
    this.#refilledMs = this.#clock.nowMs();
    this.#forgottenMs = this.#refilledMs;
  }

  /** Objects that wait to be written. */
  get waiting(): number {
    return this.#order.size;
  }

  /** Requests that the server has taken. */
  get written(): number {
    return this.#written;
  }

  start(): void {
    this.#running = true;
    this.#pump();
  }

  /** Forgets what waits; what is under way ends by itself. */
  stop(): void {
    this.#running = false;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
    this.#slots.clear();
    this.#order.clear();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Without effect unless running: who begins to lead submits everything again. */
  submit(request: ApplyRequest): void {
    if (!this.#running) return;
    const key = keyOf(request);
    const slot = this.#slots.get(key);
    if (request.observed !== undefined && alreadySays(request.observed, request.body)) {
      // It may be older than a write that is under way, whose event will bring the next look.
      if (slot !== undefined && !slot.active) this.#unqueue(key, slot);
      return;
    }
    if (slot === undefined) this.#slots.set(key, this.#newSlot(request));
    else slot.waiting = request;
    this.#order.add(key);
    this.#pump();
  }

  /** Takes back what waits: the object says it meanwhile, or needs to say nothing. */
  withdraw(request: Pick<ApplyRequest, 'path' | 'subresource' | 'fieldManager'>): void {
    const key = keyOf(request);
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#unqueue(key, slot);
  }

  get #burst(): number {
    return this.#options.burst ?? this.#options.perSecond;
  }

  #newSlot(waiting: ApplyRequest): Slot {
    const { perObjectMs = 1000, random } = this.#options;
    const spacing = new Backoff({
      initialMs: perObjectMs,
      maxMs: longestSpaceMs,
      jitter: 0.1,
      ...(random === undefined ? {} : { random }),
    });
    return { waiting, active: false, notBeforeMs: 0, spaceMs: 0, spacing };
  }

  #unqueue(key: string, slot: Slot): void {
    slot.waiting = undefined;
    this.#order.remove(key);
  }

  #pump(): void {
    if (!this.#running) return;
    const nowMs = this.#clock.nowMs();
    const { perSecond, parallel = 10 } = this.#options;
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#refilledMs) * perSecond) / 1000);
    this.#refilledMs = nowMs;
    while (this.#active < parallel) {
      let nextMs = Infinity;
      const key = this.#order.first((waiting) => {
        const slot = this.#slots.get(waiting);
        if (slot === undefined || slot.active) return false;
        nextMs = Math.min(nextMs, slot.notBeforeMs);
        return slot.notBeforeMs <= nowMs;
      });
      if (key === undefined || this.#tokens < 1) {
        const tokenMs = nowMs + Math.ceil(((1 - this.#tokens) * 1000) / perSecond);
        this.#wakeAt(key === undefined ? nextMs : tokenMs);
        return;
      }
      this.#tokens -= 1;
      this.#order.take(key);
      this.#begin(key);
    }
  }

  #begin(key: string): void {
    const slot = this.#slots.get(key);
    if (slot?.waiting === undefined) return;
    const request = slot.waiting;
    slot.waiting = undefined;
    slot.active = true;
    this.#active++;
    void this.#write(key, slot, request);
  }

  #wakeAt(dueMs: number): void {
    if (dueMs === Infinity || dueMs >= this.#timerDueMs) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(dueMs - this.#clock.nowMs(), () => {
      this.#timerDueMs = Infinity;
      this.#pump();
    });
  }

  async #write(key: string, slot: Slot, request: ApplyRequest): Promise<void> {
    let outdated = false;
    try {
      if (await this.#send(request)) this.#written++;
    } catch (error) {
      outdated = isOutdated(request, error);
      if (!outdated) this.#failed(key, slot, request, error);
    } finally {
      this.#active--;
      slot.active = false;
    }
    if (!outdated) {
      const nowMs = this.#clock.nowMs();
      // Quiet for as long again as it had to be: somebody works on it, or it flaps no more.
      if (nowMs - slot.notBeforeMs >= slot.spaceMs) slot.spacing.reset();
      slot.spaceMs = slot.spacing.nextMs();
      slot.notBeforeMs = nowMs + slot.spaceMs;
    }
    if (slot.waiting !== undefined && this.#slots.get(key) === slot) this.#order.add(key);
    this.#forgetQuiet();
    this.#pump();
  }

  /** @returns whether there was anything to write */
  async #send(request: ApplyRequest): Promise<boolean> {
    const { client } = this.#options;
    const { path, subresource, fieldManager, revise } = request;
    for (let body = request.body, revisions = 0; ; revisions++) {
      try {
        await client.request({
          method: 'PATCH',
          path: subresource === undefined ? path : `${path}/${subresource}`,
          // Only an apply can be forced.
          query: revise === undefined ? { fieldManager, force: true } : { fieldManager },
          contentType: revise === undefined ? patchType.apply : patchType.merge,
          body,
        });
        return true;
      } catch (error) {
        if (revise === undefined || !isConflict(error) || revisions === mostRevisions) throw error;
      }
      const revised = revise(await client.request({ path }));
      // Who leads no more leaves it to its successor.
      if (revised === undefined || !this.#running) return false;
      body = revised;
    }
  }

  #failed(key: string, slot: Slot, request: ApplyRequest, error: unknown): void {
    const status = error instanceof KubeStatusError ? error.status : 0;
    if (status === 404) return;
    const final = status >= 400 && status < 500 && status !== 409 && status !== 429;
    this.#options.log.warn(final ? 'apply refused' : 'apply failed, trying again', {
      path: request.path,
      manager: request.fieldManager,
      error: error instanceof Error ? error.message : String(error),
    });
    if (final) this.#options.onFailure?.({ request, error });
    else if (this.#slots.get(key) === slot) slot.waiting ??= request;
  }

  /** Keeps the table of slots to the objects that were written lately. */
  #forgetQuiet(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#forgottenMs < forgetEveryMs) return;
    this.#forgottenMs = nowMs;
    for (const [key, slot] of this.#slots)
      if (!slot.active && slot.waiting === undefined && nowMs - slot.notBeforeMs >= longestSpaceMs)
        this.#slots.delete(key);
  }
}

/** The object is another than the one that the request was made for, and there will be another request. */
function isOutdated({ body, revise }: ApplyRequest, error: unknown): boolean {
  const { resourceVersion } = (body['metadata'] ?? {}) as { readonly resourceVersion?: string };
  return resourceVersion !== undefined && revise === undefined && isConflict(error);
}

function isConflict(error: unknown): boolean {
  return error instanceof KubeStatusError && error.status === 409;
}

function keyOf({
  path,
  subresource,
  fieldManager,
}: Pick<ApplyRequest, 'path' | 'subresource' | 'fieldManager'>): string {
  return `${path} ${subresource ?? ''} ${fieldManager}`;
}
