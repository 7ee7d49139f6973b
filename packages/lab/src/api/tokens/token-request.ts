import { isJsonObject } from '../object.ts';
import { problem, problemWithValue } from '../schema/field-problem.ts';
import type { FieldProblem } from '../schema/field-problem.ts';

const boundKinds = ['Pod', 'Secret', 'Node'];

/** What is wrong with `spec` of a TokenRequest, as an API server words it. */
export function tokenRequestProblems(spec: unknown): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const { expirationSeconds, boundObjectRef } = isJsonObject(spec) ? spec : {};
  if (typeof expirationSeconds === 'number') {
    const path = 'spec.expirationSeconds';
    const invalid = (detail: string): number =>
      problems.push(problemWithValue('FieldValueInvalid', path, expirationSeconds, detail));
    if (expirationSeconds < 600) invalid('may not specify a duration less than 10 minutes');
    if (expirationSeconds > 2 ** 32) invalid('may not specify a duration larger than 2^32 seconds');
  }
  if (isJsonObject(boundObjectRef)) {
    const { kind, name } = boundObjectRef;
    if (typeof kind !== 'string' || !boundKinds.includes(kind))
      problems.push(
        problemWithValue(
          'FieldValueNotSupported',
          'spec.boundObjectRef.kind',
          kind ?? '',
          `supported values: ${boundKinds.map((each) => JSON.stringify(each)).join(', ')}`,
        ),
      );
    if (typeof name !== 'string' || name === '')
      problems.push(problem('FieldValueRequired', 'spec.boundObjectRef.name'));
  }
  return problems;
}
