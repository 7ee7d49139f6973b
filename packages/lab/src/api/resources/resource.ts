/** What the API serves: resources, their versions and subresources. */
import type { ApiObject } from '../object.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';

/** Where the scale subresource finds its values: paths of member names. */
export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  /** The selector of the scaled pods: a text in a custom resource, an object in a built-in one. */
  readonly labelSelector: readonly string[] | undefined;
}

/** A column of a CRD's table. */
export interface PrinterColumnSpec {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

export interface VersionConversion {
  readonly toStored: (object: ApiObject) => ApiObject;
  readonly fromStored: (object: ApiObject) => ApiObject;
}

export interface ResourceVersion {
  readonly name: string;
  readonly served: boolean;
  readonly schema: StructuralSchema | undefined;
  /** Whether status is written through a subresource of its own. */
  readonly status: boolean;
  readonly scale: ScalePaths | undefined;
  /** Columns of a custom resource; built-in ones are in printing/. */
  readonly columns: readonly PrinterColumnSpec[];
  readonly deprecationWarning?: string;
  /** Of a version whose fields are not those of the stored one: there and back. */
  readonly conversion?: VersionConversion;
  /** What OpenAPI documents say, if it is not `schema`, which is that of the stored version. */
  readonly documentedSchema?: StructuralSchema | undefined;
}

export interface Resource {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** In order of preference. */
  readonly versions: readonly ResourceVersion[];
  readonly storageVersion: string;
  /** Whether a CRD declares it. */
  readonly custom: boolean;
  /** Questions that are answered and not stored, such as TokenReview. */
  readonly reviewOnly: boolean;
  /** Fields of a CRD that can be selected by, without the leading dot. */
  readonly selectableFields: readonly string[];
}

/** A resource in one of its versions. */
export interface ServedResource {
  readonly resource: Resource;
  readonly version: ResourceVersion;
}

/** The name of a resource in the store: `plural.group`, with the dot for the core group too. */
export function storageKey(resource: { readonly plural: string; readonly group: string }): string {
  return `${resource.plural}.${resource.group}`;
}

export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}
