import type { ApiObject } from '../object.ts';
import type { RequestContext, Target } from './request.ts';

/** Who owns which field: server-side apply, and the record of other writers in metadata.managedFields. */
export interface FieldOwnership {
  /**
   * The live object after a manager applied its fields.
   *
   * @throws ApiError 409 naming the managers whose fields are in the way
   */
  apply(target: Target, live: ApiObject | undefined, applied: ApiObject, context: RequestContext): ApiObject;
  /** Records in `changed.metadata.managedFields` what the writer of an update took. */
  track(target: Target, live: ApiObject | undefined, changed: ApiObject, context: RequestContext): void;
}
