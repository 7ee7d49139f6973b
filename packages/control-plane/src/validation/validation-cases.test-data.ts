import { expect } from 'chai';
import type { FieldProblem } from './problem.ts';
import { validate } from './validate.ts';

/** What a check is to say: nothing, or an error or a warning at each of these paths. */
export interface ValidationCase {
  readonly name: string;
  readonly spec: unknown;
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export function problemsOf(type: string, spec: unknown, metadata: object = {}): readonly FieldProblem[] {
  const [group, kind] = type.split('/');
  return validate(group!, kind!, { metadata: { name: 'x', namespace: 'app', ...metadata }, spec });
}

const at = (problems: readonly FieldProblem[], severity: FieldProblem['severity']) =>
  problems.filter((problem) => problem.severity === severity).map(({ path }) => path);

/** A test for each case: the paths of errors and of warnings, no more and no fewer. */
export function testCases(type: string, cases: readonly ValidationCase[]): void {
  for (const { name, spec, errors = [], warnings = [], metadata } of cases)
    it(name, () => {
      const problems = problemsOf(type, spec, metadata);
      expect(at(problems, 'error'), 'errors').to.deep.equal(errors);
      expect(at(problems, 'warning'), 'warnings').to.deep.equal(warnings);
      for (const { message } of problems) expect(message).to.have.length.above(0);
    });
}
