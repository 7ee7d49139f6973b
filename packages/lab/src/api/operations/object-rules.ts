/** Rules of single objects that a write follows; pure. */
import { randomBytes } from 'node:crypto';

import { badRequest, conflict, modifiedSince } from '../errors.ts';
import { cloneJson, equalJson } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { DeleteOptions } from './delete-options.ts';
import type { Target } from './request.ts';
import type { KindStrategy } from './strategy.ts';

export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

export function generatedName(prefix: string): string {
  const letters = [...randomBytes(5)].map((byte) => suffixAlphabet[byte % suffixAlphabet.length]);
  return prefix.slice(0, 58) + letters.join('');
}

export function hasGeneration(target: Target, strategy: KindStrategy | undefined): boolean {
  return target.resource.custom || strategy?.generation === true;
}

/** What counts as desired state: all but metadata, and status where that is written apart. */
export function desired(target: Target, object: ApiObject): JsonObject {
  const rest: JsonObject = { ...object };
  delete rest['metadata'];
  delete rest['apiVersion'];
  if (target.version.status || !target.resource.custom) delete rest['status'];
  return rest;
}

export function checkPreconditions(target: Target, live: ApiObject, options: DeleteOptions): void {
  const { uid, resourceVersion, name } = live.metadata;
  if (options.uid !== undefined && options.uid !== uid)
    throw conflict(
      { group: target.resource.group, plural: target.resource.plural, namedInDetails: target.resource.kind },
      name,
      `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid ?? ''}`,
    );
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion)
    throw conflict(
      { group: target.resource.group, plural: target.resource.plural, namedInDetails: target.resource.kind },
      name,
      `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${resourceVersion ?? ''}`,
    );
}

export function checkIdentity(target: Target, live: ApiObject, proposed: ApiObject): void {
  const { name, namespace, uid, resourceVersion } = live.metadata;
  const { metadata } = proposed;
  if (metadata.name !== name)
    throw badRequest(
      `the name of the object (${String(metadata.name)}) does not match the name on the URL (${name})`,
    );
  if ((metadata.namespace ?? namespace) !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if ((metadata.uid ?? '') !== '' && metadata.uid !== uid)
    throw conflict(
      target.resource,
      name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid ?? ''}`,
    );
  const given = metadata.resourceVersion ?? '';
  if (given !== '' && given !== '0' && given !== resourceVersion)
    throw conflict(target.resource, name, modifiedSince);
}

/**
 * Through /status only the status is written, through the main resource everything else. Annotations of built-in kinds can be
 * written through both: node agents, which may change no pods, tell so what they do with them.
 */
export function mergeSubresource(target: Target, live: ApiObject, proposed: ApiObject): ApiObject {
  if (!target.version.status) return proposed;
  if (target.subresource === 'status') {
    const next = cloneJson(live);
    if (proposed['status'] === undefined) delete next['status'];
    else next['status'] = proposed['status'];
    if (!target.resource.custom) {
      if (proposed.metadata.annotations === undefined) delete next.metadata.annotations;
      else next.metadata.annotations = proposed.metadata.annotations;
    }
    if (proposed.metadata.managedFields !== undefined)
      next.metadata.managedFields = proposed.metadata.managedFields;
    return next;
  }
  if (live['status'] === undefined) delete proposed['status'];
  else proposed['status'] = cloneJson(live['status']);
  return proposed;
}

/** Metadata that only the server sets. */
export function keepServerFields(live: ApiObject, next: ApiObject): void {
  const { metadata } = next;
  const from = live.metadata;
  metadata.uid = from.uid!;
  metadata.creationTimestamp = from.creationTimestamp!;
  if (from.namespace !== undefined) metadata.namespace = from.namespace;
  if (from.generateName !== undefined) metadata.generateName = from.generateName;
  if (from.generation === undefined) delete metadata.generation;
  else metadata.generation = from.generation;
  delete metadata['selfLink'];
  if (from.deletionTimestamp === undefined) {
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    return;
  }
  metadata.deletionTimestamp = from.deletionTimestamp;
  if (from.deletionGracePeriodSeconds !== undefined)
    metadata.deletionGracePeriodSeconds = from.deletionGracePeriodSeconds;
  // Once an object is on its way out, nobody may hold it back any longer.
  const held = new Set(from.finalizers ?? []);
  const kept = (metadata.finalizers ?? []).filter((each) => held.has(each));
  if (kept.length > 0) metadata.finalizers = kept;
  else delete metadata.finalizers;
}

/** Whether nothing changed but the times at which managers wrote. */
export function sameButTimes(live: ApiObject, next: ApiObject): boolean {
  const bare = (object: ApiObject): ApiObject =>
    object.metadata.managedFields === undefined
      ? object
      : {
          ...object,
          metadata: {
            ...object.metadata,
            managedFields: object.metadata.managedFields.map((entry) => ({ ...entry, time: '' })),
          },
        };
  return equalJson(bare(live), bare(next));
}
