import type { ApiObject } from '../object.ts';
import type { RequestContext, Target } from './request.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE';

/** A write that is about to happen. */
export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  readonly target: Target;
  readonly name: string;
  /** Absent for deletions. */
  readonly object: ApiObject | undefined;
  readonly oldObject: ApiObject | undefined;
  readonly context: RequestContext;
}

/** Those who may change or refuse a write. Both throw ApiError for a refusal. */
export interface Admission {
  /** Returns the object to go on with. */
  mutate(attributes: AdmissionAttributes): Promise<ApiObject | undefined>;
  validate(attributes: AdmissionAttributes): Promise<void>;
}
