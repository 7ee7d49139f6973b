import { formatTime } from '@ambient/kube/time';

import type { StatusCause } from '../errors.ts';
import { equalJson, isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { KindStrategy } from '../operations/strategy.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import { storageKey } from '../resources/resource.ts';
import type { Resource } from '../resources/resource.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { declaredResource } from './custom-resource.ts';

export interface CrdStrategyParts {
  readonly registry: ResourceRegistry;
  readonly store: ObjectStore;
  readonly nowMs: () => number;
}

/**
 * Definitions take effect within the request that writes them: what they declare is served, and they say so in their
 * status, before the request is answered.
 */
export function crdStrategy(parts: CrdStrategyParts): KindStrategy {
  const { registry, store, nowMs } = parts;
  // Validation reads the same definition again that is stored right after.
  let read: { readonly crd: ApiObject; readonly resource: Resource | undefined } | undefined;

  const establish = (crd: ApiObject): void => {
    const spec = isJsonObject(crd['spec']) ? crd['spec'] : {};
    const names: JsonObject = isJsonObject(spec['names']) ? spec['names'] : {};
    const kind = typeof names['kind'] === 'string' ? names['kind'] : '';
    names['singular'] ??= kind.toLowerCase();
    names['listKind'] ??= `${kind}List`;
    spec['conversion'] ??= { strategy: 'None' };
    const storage = (Array.isArray(spec['versions']) ? spec['versions'] : [])
      .filter(isJsonObject)
      .filter((version) => version['storage'] === true)
      .map((version) => version['name']);
    const before = isJsonObject(crd['status']) ? crd['status'] : {};
    const stored: unknown[] = Array.isArray(before['storedVersions']) ? before['storedVersions'] : [];
    crd['status'] = {
      conditions:
        Array.isArray(before['conditions']) && before['conditions'].length > 0
          ? before['conditions']
          : conditions(nowMs()),
      acceptedNames: names,
      storedVersions: [...new Set([...stored, ...storage])],
    };
  };

  return {
    generation: true,
    prepareCreate: establish,
    prepareUpdate: establish,
    prepareStatus: establish,
    validate(crd, live) {
      const { resource, problems } = declaredResource(crd);
      read = { crd, resource };
      if (resource === undefined) return problems;
      return [...problems, ...immutableCauses(crd, live), ...takenCauses(registry, resource, live)];
    },
    stored(crd) {
      const resource = read?.crd === crd ? read.resource : declaredResource(crd).resource;
      if (resource !== undefined) registry.add(resource);
    },
    removed(crd) {
      const { resource } = declaredResource(crd);
      if (resource === undefined) return;
      registry.remove(resource.group, resource.plural);
      store.dropTable(storageKey(resource));
    },
  };
}

function conditions(nowMs: number): JsonObject[] {
  const lastTransitionTime = formatTime(nowMs);
  return [
    {
      type: 'NamesAccepted',
      status: 'True',
      reason: 'NoConflicts',
      message: 'no conflicts found',
      lastTransitionTime,
    },
    {
      type: 'Established',
      status: 'True',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
      lastTransitionTime,
    },
  ];
}

function immutableCauses(crd: ApiObject, live: ApiObject | undefined): StatusCause[] {
  if (live === undefined) return [];
  const now = crd['spec'] as JsonObject;
  const before = live['spec'] as JsonObject;
  return ['group', 'scope']
    .filter((field) => !equalJson(now[field], before[field]))
    .map((field) => ({
      reason: 'FieldValueInvalid',
      field: `spec.${field}`,
      message: `Invalid value: ${JSON.stringify(now[field])}: field is immutable`,
    }));
}

/** Two resources of a group cannot have the same kind. */
function takenCauses(
  registry: ResourceRegistry,
  resource: Resource,
  live: ApiObject | undefined,
): StatusCause[] {
  for (const other of registry.all()) {
    if (other.group !== resource.group) continue;
    if (other.plural === resource.plural ? live === undefined && !other.custom : other.kind === resource.kind)
      return [
        {
          reason: 'FieldValueInvalid',
          field: 'spec.names.kind',
          message: `Invalid value: ${JSON.stringify(resource.kind)}: ${other.plural}.${other.group} has this name already`,
        },
      ];
  }
  return [];
}
