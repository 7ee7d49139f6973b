import type { Schema } from './schema.ts';

const unions = ['oneOf', 'anyOf', 'allOf', 'not'] as const;
const structure = new Set([
  'type',
  'description',
  'properties',
  'additionalProperties',
  'items',
  'default',
  'nullable',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

/**
 * What keeps a schema from being structural, each with its path; empty if nothing does. An API server takes a definition with
 * faults, but then neither prunes nor defaults its objects, nor shows the kind in `kubectl explain`
 * (kubernetes.io: "Specifying a structural schema").
 */
export function structuralFaults(schema: Schema, path = ''): string[] {
  const faults: string[] = [];
  const fault = (text: string): void => void faults.push(`${path === '' ? '.' : path}: ${text}`);
  const anyType = schema['x-kubernetes-int-or-string'] === true;
  if ((schema.type === undefined) === !anyType)
    fault('needs a type, or x-kubernetes-int-or-string in place of it');
  if ('$ref' in schema) fault('has a reference');
  if (schema.properties !== undefined && schema.additionalProperties !== undefined)
    fault('has both properties and additionalProperties');
  if (schema.type === 'array' && schema.items === undefined) fault('has no items');
  for (const name of schema.required ?? [])
    if (schema.properties?.[name] === undefined) fault(`requires ${name}, which it does not have`);
  faults.push(...listFaults(schema, path));
  for (const union of unions) {
    const branches = (schema as Record<string, unknown>)[union];
    if (branches !== undefined) faults.push(...branchFaults(branches, `${path}.${union}`));
  }
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    faults.push(...structuralFaults(child, `${path}.${name}`));
  if (schema.items !== undefined) faults.push(...structuralFaults(schema.items, `${path}[]`));
  if (schema.additionalProperties !== undefined)
    faults.push(...structuralFaults(schema.additionalProperties, `${path}.*`));
  return faults;
}

/** Keys by which server-side apply merges must be there in every element, as scalars. */
function listFaults(schema: Schema, path: string): string[] {
  if (schema.type !== 'array') return [];
  const items = schema.items;
  if (schema['x-kubernetes-list-type'] === 'set' && ['object', 'array'].includes(items?.type ?? ''))
    return [`${path}: is a set of what is not a scalar`];
  if (schema['x-kubernetes-list-type'] !== 'map') return [];
  return (schema['x-kubernetes-list-map-keys'] ?? []).flatMap((key) => {
    const field = items?.properties?.[key];
    if (field === undefined || ['object', 'array'].includes(field.type ?? ''))
      return [`${path}: key ${key} is not a scalar field`];
    return items?.required?.includes(key) === true || field.default !== undefined
      ? []
      : [`${path}: key ${key} may be missing`];
  });
}

/** A branch of a union may only constrain what is described outside of it. */
function branchFaults(branch: unknown, path: string): string[] {
  if (Array.isArray(branch)) return branch.flatMap((each, index) => branchFaults(each, `${path}[${index}]`));
  return Object.entries(branch as Record<string, unknown>).flatMap(([name, value]) => {
    if (structure.has(name)) return [`${path}: has ${name}, which belongs outside of a union`];
    return (unions as readonly string[]).includes(name) ? branchFaults(value, `${path}.${name}`) : [];
  });
}
