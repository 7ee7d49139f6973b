import { isJsonObject } from '../object.ts';
import type { ApiObject } from '../object.ts';
import type { KindStrategy } from '../operations/strategy.ts';

/** Held by every namespace until its content is gone. */
const contentFinalizer = 'kubernetes';

/** A namespace is active from its creation, and terminating until the namespace controller has emptied it. */
export const namespaceStrategy: KindStrategy = {
  prepareCreate(object) {
    object['spec'] = { finalizers: [contentFinalizer] };
    object['status'] = { phase: 'Active' };
    object.metadata.labels = { ...object.metadata.labels, [nameLabel]: object.metadata.name };
  },
  prepareUpdate(object, live) {
    object['spec'] = live['spec'];
    object['status'] = {
      ...(isJsonObject(object['status']) ? object['status'] : {}),
      phase: object.metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating',
    };
    object.metadata.labels = { ...object.metadata.labels, [nameLabel]: object.metadata.name };
  },
  defersDeletion: (object) => heldFinalizers(object).length > 0,
};

const nameLabel = 'kubernetes.io/metadata.name';

export function heldFinalizers(namespace: ApiObject): readonly unknown[] {
  const spec = namespace['spec'];
  return isJsonObject(spec) && Array.isArray(spec['finalizers']) ? spec['finalizers'] : [];
}
