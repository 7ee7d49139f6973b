// What the writers of a leader stand on in tests: a store without an engine, and a queue that only remembers.
import { ObjectStore } from '../cluster/object-store.ts';
import type { Report } from '../cluster/engine.ts';
import type { Finding } from '../discovery/finding.ts';
import type { ApplyQueue, ApplyRequest, KindName, KubeObject } from '@ambient/kube';
import { objectKey } from '@ambient/kube';

export function emptyStore(): ObjectStore {
  return new ObjectStore({ object: () => {}, index: () => {} });
}

export function put(store: ObjectStore, object: KubeObject): void {
  const kind = object.kind as KindName;
  store.table(kind).put(objectKey(object), object);
}

/** Remembers what is to be written, `submit PATH` and `withdraw PATH`, with the manager. */
export class RecordingQueue {
  readonly calls: string[] = [];
  readonly requests: ApplyRequest[] = [];

  submit(request: ApplyRequest): void {
    this.calls.push(`submit ${request.path} ${request.fieldManager}`);
    this.requests.push(request);
  }

  withdraw(request: Pick<ApplyRequest, 'path' | 'fieldManager'>): void {
    this.calls.push(`withdraw ${request.path} ${request.fieldManager}`);
  }

  /** As the writers take it, which use no more of it. */
  get queue(): ApplyQueue {
    return this as unknown as ApplyQueue;
  }

  /** What has been called since it was asked last. */
  take(): string[] {
    return this.calls.splice(0);
  }
}

export function report(
  kind: KindName | undefined,
  key: string,
  conditions: readonly Finding[],
): Report<Finding> {
  return { derivation: 'test', kind, key, problems: [], conditions };
}
