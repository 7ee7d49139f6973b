import { formatTime } from '@ambient/kube/time';
import { randomUUID } from 'node:crypto';

import type { Clock } from '@ambient/runtime';

import {
  alreadyExists,
  ApiError,
  badRequest,
  conflict,
  forbidden,
  invalid,
  methodNotAllowed,
  modifiedSince,
  notFound,
} from '../errors.ts';
import { cloneJson, equalJson } from '../object.ts';
import type { ApiObject } from '../object.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { Admission } from './admission.ts';
import type { DeleteOptions } from './delete-options.ts';
import type { FieldOwnership } from './field-ownership.ts';
import {
  checkIdentity,
  checkPreconditions,
  desired,
  foregroundFinalizer,
  generatedName,
  hasGeneration,
  keepServerFields,
  mergeSubresource,
  orphanFinalizer,
  sameButTimes,
} from './object-rules.ts';
import { checkObject, conform, readObject } from './prepare.ts';
import type { RequestContext, Target } from './request.ts';
import { targetKey } from './request.ts';
import type { KindStrategy, StrategyOf } from './strategy.ts';

export interface ObjectOperationsOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly strategyOf: StrategyOf;
  readonly admission: Admission;
  readonly ownership: FieldOwnership;
}

/** Makes the object to be out of the live one; called again when another writer was quicker. */
export type Change = (live: ApiObject) => ApiObject;

export interface Deleted {
  readonly object: ApiObject;
  /** False: it stays for the time being, with a deletionTimestamp. */
  readonly gone: boolean;
  /** The object is the answer in any case. */
  readonly answered: boolean;
}

/** How often a change is computed anew because another one came in between. */
const attempts = 8;

/** Creates, changes and deletes objects: every write of the API goes through here, the server's own included. */
export class ObjectOperations {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #strategyOf: StrategyOf;
  readonly #admission: Admission;
  readonly #ownership: FieldOwnership;

  constructor(options: ObjectOperationsOptions) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#strategyOf = options.strategyOf;
    this.#admission = options.admission;
    this.#ownership = options.ownership;
  }

  /** @throws ApiError 404 */
  get(target: Target): ApiObject {
    const name = target.name ?? '';
    const found = this.#store.get(targetKey(target), target.namespace, name);
    if (found === undefined) throw notFound(target.resource, name);
    return found;
  }

  /** @param body a parsed body, not used again by the caller */
  async create(target: Target, body: unknown, context: RequestContext): Promise<ApiObject> {
    const object = readObject(body, target);
    this.#place(object, target);
    const { metadata } = object;
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '')
      throw badRequest('resourceVersion should not be set on objects to be created');
    const named = metadata.name !== undefined && metadata.name !== '';
    if (!named && (metadata.generateName ?? '') === '')
      throw invalid(target.resource.kind, target.resource.group, '', [
        {
          reason: 'FieldValueRequired',
          field: 'metadata.name',
          message: 'Required value: name or generateName is required',
        },
      ]);
    if (!named) metadata.name = generatedName(metadata.generateName!);
    return this.#create(target, object, context, true);
  }

  /** Replaces an object, or its status. */
  async update(target: Target, body: unknown, context: RequestContext): Promise<ApiObject> {
    const object = readObject(body, target);
    object.metadata.name =
      object.metadata.name === undefined || object.metadata.name === ''
        ? (target.name ?? '')
        : object.metadata.name;
    this.#place(object, target);
    if (target.resource.custom && (object.metadata.resourceVersion ?? '') === '')
      throw invalid(target.resource.plural, target.resource.group, object.metadata.name, [
        {
          reason: 'FieldValueInvalid',
          field: 'metadata.resourceVersion',
          message: 'Invalid value: 0: must be specified for an update',
        },
      ]);
    return this.change(target, () => object, context);
  }

  /** Changes the live object by a function of it; the result goes through every check of an update. */
  async change(target: Target, change: Change, context: RequestContext): Promise<ApiObject> {
    const name = target.name ?? '';
    for (let attempt = 1; ; attempt++) {
      const live = this.#store.get(targetKey(target), target.namespace, name);
      if (live === undefined) throw notFound(target.resource, name);
      const proposed = cloneJson(change(live));
      const pinned = (proposed.metadata.resourceVersion ?? '') !== '' && proposed.metadata.resourceVersion;
      const written = await this.#replace(target, live, proposed, context, 'track');
      if (written !== 'stale') return written;
      if (attempt === attempts || (pinned !== false && pinned !== live.metadata.resourceVersion))
        throw conflict(target.resource, name, modifiedSince);
    }
  }

  /** Server-side apply; creates what is not there. */
  async apply(
    target: Target,
    body: unknown,
    context: RequestContext,
  ): Promise<{ object: ApiObject; created: boolean }> {
    const applied = readObject(body, target);
    applied.metadata.name ??= target.name ?? '';
    this.#place(applied, target);
    if (applied.metadata.name !== target.name)
      throw badRequest(
        `the name of the object (${applied.metadata.name}) does not match the name on the URL (${target.name ?? ''})`,
      );
    if (applied.metadata.managedFields !== undefined && applied.metadata.managedFields.length > 0)
      throw badRequest('metadata.managedFields must be nil');
    for (let attempt = 1; ; attempt++) {
      const live = this.#store.get(targetKey(target), target.namespace, applied.metadata.name);
      if (live === undefined && target.subresource !== undefined)
        throw notFound(target.resource, applied.metadata.name);
      const merged = this.#ownership.apply(target, live, cloneJson(applied), context);
      if (live === undefined) {
        if ((applied.metadata.uid ?? '') !== '')
          throw conflict(
            target.resource,
            applied.metadata.name,
            `uid mismatch: the provided object specified uid ${applied.metadata.uid}, and no existing object was found`,
          );
        return { object: await this.#create(target, merged, context, false), created: true };
      }
      const written = await this.#replace(target, live, merged, context, 'applied');
      if (written !== 'stale') return { object: written, created: false };
      if (attempt === attempts) throw conflict(target.resource, applied.metadata.name, modifiedSince);
    }
  }

  async delete(target: Target, options: DeleteOptions, context: RequestContext): Promise<Deleted> {
    const name = target.name ?? '';
    const live = this.get(target);
    checkPreconditions(target, live, options);
    await this.#admission.validate({
      operation: 'DELETE',
      target,
      name,
      object: undefined,
      oldObject: live,
      context,
    });
    const now = this.get(target);
    if (now !== live) checkPreconditions(target, now, options);
    return this.#delete(target, now, options, context);
  }

  /** Deletes without asking anyone: for the server's own controllers, whose writes nobody may refuse. */
  deleteOwn(target: Target, options: DeleteOptions, context: RequestContext): Deleted {
    return this.#delete(target, this.get(target), options, context);
  }

  /** Stores a changed object without asking anyone, and lets it go if nothing holds it any longer. */
  putOwn(target: Target, object: ApiObject): void {
    const key = targetKey(target);
    const strategy = this.#strategyOf(key);
    const live = this.#store.get(key, object.metadata.namespace, object.metadata.name);
    const stored = this.#store.put(key, object);
    strategy?.stored?.(stored, live);
    if (this.#mayGo(stored, strategy)) this.#remove(key, stored, strategy);
  }

  async #create(
    target: Target,
    object: ApiObject,
    context: RequestContext,
    track: boolean,
  ): Promise<ApiObject> {
    const { resource } = target;
    const { metadata } = object;
    const key = targetKey(target);
    const strategy = this.#strategyOf(key);
    metadata.uid = randomUUID();
    const given = context.keepsAge === true ? metadata.creationTimestamp : undefined;
    metadata.creationTimestamp = given ?? formatTime(this.#clock.nowMs());
    delete metadata.deletionTimestamp;
    delete metadata.deletionGracePeriodSeconds;
    delete metadata['selfLink'];
    delete metadata.resourceVersion;
    delete metadata.generation;
    if (hasGeneration(target, strategy)) metadata.generation = 1;
    if (target.version.status && strategy?.keepsStatusOnCreate !== true) delete object['status'];
    conform(object, target, context);
    strategy?.applyDefaults?.(object);
    if (track) this.#ownership.track(target, undefined, object, context);
    strategy?.prepareCreate?.(object, context);

    const admitted =
      (await this.#admission.mutate({
        operation: 'CREATE',
        target,
        name: metadata.name,
        object,
        oldObject: undefined,
        context,
      })) ?? object;
    if (admitted !== object) conform(admitted, target, { ...context, fieldValidation: 'Ignore' });
    this.#refuseInEndingNamespace(target, admitted.metadata.name);
    checkObject(admitted, undefined, target, strategy?.validate?.(admitted, undefined));
    await this.#admission.validate({
      operation: 'CREATE',
      target,
      name: admitted.metadata.name,
      object: admitted,
      oldObject: undefined,
      context,
    });
    if (this.#store.get(key, admitted.metadata.namespace, admitted.metadata.name) !== undefined)
      throw alreadyExists(resource, admitted.metadata.name);
    if (context.dryRun) return admitted;
    strategy?.allocate?.(admitted, undefined);
    admitted.apiVersion = apiVersionOf(resource.group, resource.storageVersion);
    const stored = this.#store.put(key, admitted);
    strategy?.stored?.(stored, undefined);
    return stored;
  }

  async #replace(
    target: Target,
    live: ApiObject,
    proposed: ApiObject,
    context: RequestContext,
    fields: 'track' | 'applied',
  ): Promise<ApiObject | 'stale'> {
    const { resource } = target;
    const key = targetKey(target);
    const strategy = this.#strategyOf(key);
    checkIdentity(target, live, proposed);
    conform(proposed, target, context);
    const next = mergeSubresource(target, live, proposed);
    keepServerFields(live, next);
    if (target.subresource === undefined) strategy?.applyDefaults?.(next);
    if (fields === 'track') this.#ownership.track(target, live, next, context);
    if (target.subresource === undefined) strategy?.prepareUpdate?.(next, live, context);
    else strategy?.prepareStatus?.(next);
    if (hasGeneration(target, strategy) && !equalJson(desired(target, live), desired(target, next)))
      next.metadata.generation = (live.metadata.generation ?? 0) + 1;

    const admitted =
      (await this.#admission.mutate({
        operation: 'UPDATE',
        target,
        name: live.metadata.name,
        object: next,
        oldObject: live,
        context,
      })) ?? next;
    checkObject(admitted, live, target, strategy?.validate?.(admitted, live));
    await this.#admission.validate({
      operation: 'UPDATE',
      target,
      name: live.metadata.name,
      object: admitted,
      oldObject: live,
      context,
    });
    if (this.#store.get(key, live.metadata.namespace, live.metadata.name) !== live) return 'stale';
    admitted.apiVersion = apiVersionOf(resource.group, resource.storageVersion);
    admitted.metadata.resourceVersion = live.metadata.resourceVersion!;
    if (sameButTimes(live, admitted)) return live;
    if (context.dryRun) return admitted;
    strategy?.allocate?.(admitted, live);
    const stored = this.#store.put(key, admitted);
    strategy?.stored?.(stored, live);
    if (this.#mayGo(stored, strategy)) this.#remove(key, stored, strategy);
    return stored;
  }

  #delete(target: Target, live: ApiObject, options: DeleteOptions, context: RequestContext): Deleted {
    const key = targetKey(target);
    const strategy = this.#strategyOf(key);
    const needed = strategy?.gracePeriodSeconds?.(live) ?? 0;
    const grace = needed === 0 ? 0 : (options.gracePeriodSeconds ?? needed);
    const next = cloneJson(live);
    const { metadata } = next;
    const finalizers = new Set(metadata.finalizers ?? []);
    if (options.propagationPolicy === 'Orphan') finalizers.add(orphanFinalizer);
    if (options.propagationPolicy === 'Foreground') finalizers.add(foregroundFinalizer);
    metadata.finalizers = [...finalizers];
    if (finalizers.size === 0) delete metadata.finalizers;
    const waits = finalizers.size > 0 || strategy?.defersDeletion?.(next) === true;
    if (!waits && grace === 0) {
      if (!context.dryRun && !options.dryRun) this.#remove(key, live, strategy);
      return { object: next, gone: true, answered: strategy?.answersDeleted === true };
    }
    if (metadata.deletionTimestamp === undefined || grace < (metadata.deletionGracePeriodSeconds ?? 0)) {
      metadata.deletionTimestamp = formatTime(this.#clock.nowMs() + grace * 1000);
      metadata.deletionGracePeriodSeconds = grace;
      if (metadata.generation !== undefined) metadata.generation++;
    }
    strategy?.prepareUpdate?.(next, live, context);
    if (context.dryRun || options.dryRun || equalJson(next, live))
      return { object: next, gone: false, answered: true };
    const stored = this.#store.put(key, next);
    strategy?.stored?.(stored, live);
    return { object: stored, gone: false, answered: true };
  }

  #mayGo(object: ApiObject, strategy: KindStrategy | undefined): boolean {
    const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
    return (
      deletionTimestamp !== undefined &&
      (finalizers ?? []).length === 0 &&
      (deletionGracePeriodSeconds ?? 0) === 0 &&
      strategy?.defersDeletion?.(object) !== true
    );
  }

  #remove(key: string, object: ApiObject, strategy: KindStrategy | undefined): void {
    this.#store.delete(key, object.metadata.namespace, object.metadata.name);
    strategy?.removed?.(object);
  }

  /** Puts an object where the path says, or refuses it. */
  #place(object: ApiObject, target: Target): void {
    const { metadata } = object;
    if (!target.resource.namespaced) {
      if ((metadata.namespace ?? '') !== '') throw badRequest('namespace is not allowed on this type');
      delete metadata.namespace;
      return;
    }
    const { namespace } = target;
    if (namespace === undefined) throw methodNotAllowed();
    if (metadata.namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace)
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    metadata.namespace = namespace;
  }

  #refuseInEndingNamespace(target: Target, name: string): void {
    if (target.namespace === undefined) return;
    const namespace = this.#store.get('namespaces.', undefined, target.namespace);
    if (namespace === undefined) throw notFound({ group: '', plural: 'namespaces' }, target.namespace);
    if (namespace.metadata.deletionTimestamp === undefined) return;
    const refusal = forbidden(
      target.resource,
      name,
      `unable to create new content in namespace ${target.namespace} because it is being terminated`,
    );
    throw new ApiError(refusal.code, refusal.reason, refusal.message, {
      ...refusal.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${target.namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    });
  }
}
