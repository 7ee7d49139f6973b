import { ApiError, badRequest } from '../errors.ts';
import { resetFields } from '../managed-fields/never-owned.ts';
import { ApplyRequestError, applyServerSide, trackUpdate } from '../managed-fields/server-side-apply.ts';
import type { ApiObject } from '../object.ts';
import { zeroObject } from '../protobuf/kinds.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { FieldOwnership } from './field-ownership.ts';
import type { RequestContext, Target } from './request.ts';

/** Field ownership as metadata.managedFields records it. */
export function trackedFields(nowMs: () => number): FieldOwnership {
  const writeOf = (target: Target, context: RequestContext) => ({
    manager: context.fieldManager,
    apiVersion: apiVersionOf(target.resource.group, target.version.name),
    schema: target.version.schema,
    subresource: target.subresource ?? '',
    reset: resetFields(target.subresource ?? '', target.version.status),
    now: nowMs(),
  });
  return {
    apply(target, live, applied, context) {
      try {
        const result = applyServerSide({ ...writeOf(target, context), live, applied, force: context.force });
        if ('object' in result) return result.object as ApiObject;
        throw new ApiError(409, 'Conflict', result.conflicts.message, { causes: result.conflicts.causes });
      } catch (error) {
        if (error instanceof ApplyRequestError) throw badRequest(error.message, error);
        throw error;
      }
    },
    track(target, live, changed, context) {
      const entries = trackUpdate({ ...writeOf(target, context), old: live ?? zeroOf(target), new: changed });
      if (entries.length > 0) changed.metadata.managedFields = entries;
      else delete changed.metadata.managedFields;
    },
  };
}

/** What a new object is compared with: the members that no client wrote, as they are always there. */
function zeroOf({ resource, version }: Target): ApiObject {
  const apiVersion = apiVersionOf(resource.group, version.name);
  const { metadata: _, ...zero } = zeroObject(apiVersion, resource.kind);
  return { ...zero, apiVersion, kind: resource.kind, metadata: { name: '' } };
}
