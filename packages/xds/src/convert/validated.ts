import { validatePolicy, validateService, validateWorkload } from '@ambient/mesh';
import type { MeshUpdate, Problem } from '@ambient/mesh';

import { FieldError } from '../errors.ts';

/**
 * The same update, when the mesh store may apply it: the store itself trusts what it gets.
 *
 * @param path of the resource, for the error
 * @throws FieldError that names the first problem, and how many more there are
 */
export function validated<U extends MeshUpdate>(update: U, path: string): U {
  const [first, ...more] = problemsOf(update);
  if (first === undefined) return update;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw new FieldError(`${path}.${first.path}`, first.problem + rest);
}

function problemsOf(update: MeshUpdate): Problem[] {
  switch (update.kind) {
    case 'workload':
      return validateWorkload(update.workload);
    case 'service':
      return validateService(update.service);
    case 'policy':
      return validatePolicy(update.policy);
    default:
      return [];
  }
}
