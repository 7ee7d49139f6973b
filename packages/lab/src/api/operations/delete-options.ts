import { badRequest, invalidOptions } from '../errors.ts';
import { isJsonObject } from '../object.ts';

export type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

/** metav1.DeleteOptions, from the body or the query. */
export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: PropagationPolicy;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly dryRun: boolean;
}

/** @throws ApiError 400 */
export function deleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const fields = isJsonObject(body) ? body : {};
  const policy = fields['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined;
  const orphan = fields['orphanDependents'] ?? query.get('orphanDependents') === 'true';
  if (policy !== undefined && policy !== 'Background' && policy !== 'Foreground' && policy !== 'Orphan')
    throw invalidOptions(
      'DeleteOptions',
      'FieldValueNotSupported',
      'propagationPolicy',
      `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan"`,
    );
  const grace = fields['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? undefined;
  const gracePeriodSeconds = grace === undefined ? undefined : Number(grace);
  if (gracePeriodSeconds !== undefined && !Number.isInteger(gracePeriodSeconds))
    throw badRequest('DeleteOptions is invalid: gracePeriodSeconds: must be a whole number of seconds');
  const preconditions = isJsonObject(fields['preconditions']) ? fields['preconditions'] : {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    gracePeriodSeconds,
    propagationPolicy: policy ?? (orphan === true ? 'Orphan' : 'Background'),
    uid: text(preconditions['uid']),
    resourceVersion: text(preconditions['resourceVersion']),
    dryRun:
      query.getAll('dryRun').length > 0 || (Array.isArray(fields['dryRun']) && fields['dryRun'].length > 0),
  };
}
