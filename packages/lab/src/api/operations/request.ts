/** A request for objects, as its path and query name it. */
import { badRequest, invalidOptions } from '../errors.ts';
import { storageKey } from '../resources/resource.ts';
import type { Resource, ResourceVersion } from '../resources/resource.ts';

/** Who asks. */
export interface User {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** The API server's own controllers. */
const systemUser: User = { username: 'system:apiserver', groups: ['system:masters'] };

/** What a request is about: a resource in a version, maybe in a namespace, maybe one object, maybe a part of it. */
export interface Target {
  readonly resource: Resource;
  readonly version: ResourceVersion;
  /** Undefined for cluster-scoped resources, and for a list over all namespaces. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** How a request wants to be carried out, and by whom. */
export interface RequestContext {
  readonly user: User;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Of a server-side apply: take fields from their owners. */
  readonly force: boolean;
  /** Told to the client in Warning headers. */
  readonly warnings: string[];
  /** An object that is created keeps the creationTimestamp that it brings: for clusters that are loaded from a file. */
  readonly keepsAge?: boolean;
}

/** A context for the server's own requests. */
export function ownContext(manager = 'lab'): RequestContext {
  return {
    user: systemUser,
    dryRun: false,
    fieldManager: manager,
    fieldValidation: 'Ignore',
    force: false,
    warnings: [],
  };
}

/** @throws ApiError 400 for options that the API does not know */
export function requestContext(
  user: User,
  query: URLSearchParams,
  userAgent: string,
  optionsKind = 'UpdateOptions',
): RequestContext {
  const dryRun = query.getAll('dryRun');
  for (const value of dryRun)
    if (value !== 'All')
      throw invalidOptions(
        optionsKind,
        'FieldValueNotSupported',
        'dryRun',
        `Unsupported value: ${JSON.stringify(value)}: supported values: "All"`,
      );
  const fieldValidation = query.get('fieldValidation') ?? '';
  if (
    fieldValidation !== '' &&
    fieldValidation !== 'Ignore' &&
    fieldValidation !== 'Warn' &&
    fieldValidation !== 'Strict'
  )
    throw invalidOptions(
      optionsKind,
      'FieldValueNotSupported',
      'fieldValidation',
      `Unsupported value: "${fieldValidation}": supported values: "Ignore", "Strict", "Warn"`,
    );
  const manager = query.get('fieldManager') ?? '';
  if (manager.length > 128) throw badRequest('fieldManager: Too long: may not be more than 128 bytes');
  return {
    user,
    dryRun: dryRun.length > 0,
    fieldManager: manager === '' ? (userAgent.split('/')[0] || 'unknown').slice(0, 128) : manager,
    fieldValidation: fieldValidation === '' ? 'Warn' : fieldValidation,
    force: query.get('force') === 'true',
    warnings: [],
  };
}

export function targetKey(target: Target): string {
  return storageKey(target.resource);
}
