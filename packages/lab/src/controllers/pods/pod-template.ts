/** From a template to pods. Pure. */
import { createHash } from 'node:crypto';

import { canonical } from '../cache/canonical.ts';
import type { NewObject } from '../cache/cluster-writer.ts';
import type { KubeObject, PodSpec, PodTemplate } from '../objects.ts';

/** The controlling owner of new objects. */
export function controlledBy({ apiVersion, kind, metadata }: KubeObject): Record<string, unknown> {
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** A pod that follows a template, to be named after its owner. */
export function podOf(
  owner: KubeObject,
  template: PodTemplate,
  more: {
    readonly name?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly spec?: PodSpec;
  } = {},
): NewObject {
  const { labels, annotations } = template.metadata ?? {};
  const { name, namespace } = owner.metadata;
  return {
    metadata: {
      ...(more.name === undefined ? { generateName: `${name}-` } : { name: more.name }),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, ...more.labels },
      ...(annotations === undefined && more.annotations === undefined
        ? {}
        : { annotations: { ...annotations, ...more.annotations } }),
      ownerReferences: [controlledBy(owner)],
    },
    spec: { ...template.spec, ...more.spec },
  };
}

const digits = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * Ten letters that stand for a value; the order of an object's fields does not matter.
 *
 * @param collisions how often what came out was in use by something else
 */
export function hashOf(value: unknown, collisions = 0): string {
  const hash = createHash('sha256').update(canonical(value));
  if (collisions > 0) hash.update(String(collisions));
  return [...hash.digest().subarray(0, 10)].map((byte) => digits[byte % digits.length]).join('');
}

export function sameTemplate(a: PodTemplate | undefined, b: PodTemplate | undefined, apart: string): boolean {
  return canonical(withoutLabel(a, apart)) === canonical(withoutLabel(b, apart));
}

function withoutLabel(template: PodTemplate | undefined, label: string): PodTemplate {
  const { [label]: _, ...labels } = template?.metadata?.labels ?? {};
  return { ...template, metadata: { ...template?.metadata, labels } };
}
