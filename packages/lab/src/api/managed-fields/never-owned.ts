import { fieldSetOf } from './field-set.ts';
import type { FieldSet } from './field-set.ts';

/** Fields that say what an object is, or that the server writes: nobody owns them. */
export const neverOwned: FieldSet = fieldSetOf([
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['metadata', name]),
]);

/**
 * Fields that a write through this endpoint cannot change, and that it therefore does not own: status through the
 * object itself where status has an endpoint of its own; everything else through that one.
 */
export function resetFields(subresource: string, hasStatusSubresource: boolean): FieldSet {
  if (subresource === 'status') return fieldSetOf([['spec'], ['metadata']]);
  return fieldSetOf(hasStatusSubresource ? [['status']] : []);
}
