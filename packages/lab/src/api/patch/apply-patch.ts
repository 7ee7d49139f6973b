import { ApiError, badRequest } from '../errors.ts';
import { isJsonObject } from '../object.ts';
import type { ApiObject } from '../object.ts';
import type { Target } from '../operations/request.ts';
import { unsupportedMediaType } from '../errors.ts';
import { readObject } from '../operations/prepare.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMergePatch } from './strategic-merge.ts';

const jsonPatchType = 'application/json-patch+json';
const mergePatchType = 'application/merge-patch+json';
const strategicType = 'application/strategic-merge-patch+json';

/** The patches of Kubernetes, beside server-side apply. */
export const patchTypes: readonly string[] = [jsonPatchType, mergePatchType, strategicType];

/**
 * The live object with a patch applied to it.
 *
 * @throws ApiError 400 for a patch that is malformed, 422 for one that does not fit the object, 415 for a strategic
 *   patch of a custom resource, whose lists have no merge keys
 */
export function applyPatch(type: string, live: ApiObject, patch: unknown, target: Target): ApiObject {
  const { name, conversion } = target.version;
  const current = {
    ...(conversion === undefined ? live : conversion.fromStored(live)),
    apiVersion: target.resource.group === '' ? name : `${target.resource.group}/${name}`,
  };
  let patched: unknown;
  if (type === jsonPatchType) patched = jsonPatch(current, patch);
  else {
    if (!isJsonObject(patch)) throw badRequest('the patch is not a JSON object');
    if (type === mergePatchType) patched = mergePatch(current, patch);
    else if (target.resource.custom || target.version.schema === undefined)
      throw unsupportedMediaType(
        type,
        patchTypes.filter((each) => each !== strategicType),
      );
    else patched = strategicMergePatch(current, patch, target.version.schema.root);
  }
  if (!isJsonObject(patched)) throw new ApiError(422, 'Invalid', 'the patch leaves no object');
  return readObject(patched, target);
}
