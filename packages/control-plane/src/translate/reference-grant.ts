import type { ReferenceGrant } from '@ambient/kube';
import { isRecord } from '@ambient/kube';

/** A reference over the border of a namespace. */
export interface ForeignReference {
  readonly from: { readonly group: string; readonly kind: string; readonly namespace: string };
  readonly to: { readonly group: string; readonly kind: string; readonly name: string };
}

/** Whether a grant, which is to be of the namespace that is referred to, allows a reference (Gateway API, ReferenceGrant). */
export function grants(grant: ReferenceGrant, { from, to }: ForeignReference): boolean {
  const spec: unknown = grant.spec;
  if (!isRecord(spec)) return false;
  return (
    records(spec['from']).some(
      ({ group, kind, namespace }) =>
        group === from.group && kind === from.kind && namespace === from.namespace,
    ) &&
    records(spec['to']).some(
      ({ group, kind, name }) =>
        group === to.group && kind === to.kind && (name === undefined || name === '' || name === to.name),
    )
  );
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}
