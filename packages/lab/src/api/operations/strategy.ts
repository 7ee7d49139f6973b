import type { StatusCause } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import type { RequestContext } from './request.ts';

/** What a kind does beside what all kinds do. Objects given are the caller's own and may be changed. */
export interface KindStrategy {
  /** Whether metadata.generation is kept for this built-in kind; custom resources always have it. */
  readonly generation?: boolean;
  /** Whether a status sent along with a new object is kept. */
  readonly keepsStatusOnCreate?: boolean;
  /** Fills in defaults that depend on other fields. They belong to whoever wrote the object. */
  applyDefaults?(object: ApiObject): void;
  /** Fills in what the server decides, before validation. It belongs to nobody. */
  prepareCreate?(object: ApiObject, context: RequestContext): void;
  prepareUpdate?(object: ApiObject, live: ApiObject, context: RequestContext): void;
  /** The same for a write of the status alone. */
  prepareStatus?(object: ApiObject): void;
  /** After every check, before the object is stored: the place to take what is scarce. Not called in a dry run. */
  allocate?(object: ApiObject, live: ApiObject | undefined): void;
  /** Refuses what the schema cannot see. */
  validate?(object: ApiObject, live: ApiObject | undefined): readonly StatusCause[];
  /** Whether a deletion is answered with the object that is gone, not with a Status. */
  readonly answersDeleted?: boolean;
  /** Whether a deletion has to wait for somebody: the object stays, with a deletionTimestamp. */
  defersDeletion?(object: ApiObject): boolean;
  /** Seconds that a deletion without an explicit grace period gives; 0: nobody needs any, asked for or not. */
  gracePeriodSeconds?(object: ApiObject): number;
  /** Told after the object is in the store, or changed there. */
  stored?(object: ApiObject, live: ApiObject | undefined): void;
  removed?(object: ApiObject): void;
}

export type StrategyOf = (resourceKey: string) => KindStrategy | undefined;
