import type { JsonObject } from '../../object.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { kindDefinition, kindOf } from './definitions.ts';

/** A method on a path, before either version of OpenAPI spells it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** `x-kubernetes-action`. */
  readonly action: string;
  readonly operationId: string;
  /** Names of query parameters with their JSON type. */
  readonly query: Readonly<Record<string, 'string' | 'boolean' | 'integer'>>;
  readonly definition: string;
  readonly kind: JsonObject;
}

export interface PathEntry {
  readonly path: string;
  /** Names of the parameters in the path. */
  readonly parameters: readonly string[];
  readonly operations: readonly Operation[];
}

const list = {
  continue: 'string',
  fieldSelector: 'string',
  labelSelector: 'string',
  limit: 'integer',
  resourceVersion: 'string',
  timeoutSeconds: 'integer',
  watch: 'boolean',
} as const;
const write = { dryRun: 'string', fieldManager: 'string', fieldValidation: 'string' } as const;
const remove = { dryRun: 'string', gracePeriodSeconds: 'integer', propagationPolicy: 'string' } as const;

type Row = readonly [Operation['method'], string, Operation['query']];

const onCollection: readonly Row[] = [
  ['get', 'list', list],
  ['post', 'post', write],
  ['delete', 'deletecollection', { ...list, ...remove }],
];
const onObject: readonly Row[] = [
  ['get', 'get', {}],
  ['put', 'put', write],
  ['patch', 'patch', { ...write, force: 'boolean' }],
  ['delete', 'delete', remove],
];
const onSubresource = onObject.filter(([method]) => method !== 'delete');

/** Where a group and version are served. */
export function groupVersionPath(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** The paths of one resource. Clients look there for the parameters that a kind understands. */
export function pathsOf(served: ServedResource): PathEntry[] {
  const { resource, version } = served;
  const root = `/${groupVersionPath(resource.group, version.name)}`;
  const base = resource.namespaced
    ? `${root}/namespaces/{namespace}/${resource.plural}`
    : `${root}/${resource.plural}`;
  const scope = resource.namespaced ? ['namespace'] : [];
  const entry = (
    path: string,
    parameters: readonly string[],
    rows: readonly Row[],
    suffix = '',
  ): PathEntry => ({
    path,
    parameters,
    operations: rows.map(([method, action, query]) => ({
      method,
      action,
      operationId: `${action}_${resource.group}_${version.name}_${resource.kind}${suffix}`.replaceAll(
        '.',
        '_',
      ),
      query,
      definition: kindDefinition(served),
      kind: { ...kindOf(served) },
    })),
  });
  if (resource.reviewOnly) return [entry(base, scope, [['post', 'post', write]])];
  const named = [...scope, 'name'];
  return [
    entry(base, scope, onCollection),
    entry(`${base}/{name}`, named, onObject),
    ...(version.status ? [entry(`${base}/{name}/status`, named, onSubresource, '_status')] : []),
  ];
}
