// A name that is no SPIFFE segment must not become one: a service account `a/sa/b`, written in a WorkloadEntry,
// would read as someone else in every policy that compares principals.
import { parseSpiffe } from '@ambient/identity';
import type { FieldProblem } from '../validation/problem.ts';

/**
 * @param path the field that named the service account
 * @returns what is wrong; undefined when the identity is well formed, or when there is none (account empty)
 */
export function identityProblem(
  path: string,
  namespace: string,
  serviceAccount: string,
): FieldProblem | undefined {
  if (serviceAccount === '') return undefined;
  // Any trust domain does; that of the mesh was checked when it was read.
  if (parseSpiffe(`spiffe://td/ns/${namespace}/sa/${serviceAccount}`) !== undefined) return undefined;
  const given = `${JSON.stringify(serviceAccount)} of namespace ${JSON.stringify(namespace)}`;
  return {
    path,
    severity: 'error',
    message: `${given} cannot be part of a SPIFFE identity: give the bare name of a service account (letters, digits, '.', '-' and '_')`,
  };
}
