import fastJsonPatch from 'fast-json-patch';
import type { Operation } from 'fast-json-patch';

import { ApiError, badRequest } from '../errors.ts';
import { cloneJson } from '../object.ts';

const maxOperations = 10_000;

/**
 * JSON patch (RFC 6902). The document is not changed.
 *
 * @throws ApiError 400 for what is no patch, 422 for one whose paths or tests do not fit
 */
export function jsonPatch(document: object, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('the patch is not a list of operations');
  if (patch.length > maxOperations)
    throw new ApiError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  try {
    return fastJsonPatch.applyPatch(cloneJson(document), patch as Operation[], true, true, true).newDocument;
  } catch (error) {
    // The library prints the whole document after the first line.
    const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new ApiError(
      422,
      'Invalid',
      `the server rejected our request due to an error in our request: ${message}`,
      undefined,
      error,
    );
  }
}
