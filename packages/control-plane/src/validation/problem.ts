/** One thing in an object that cannot be taken as it stands. */
export interface FieldProblem {
  /** Where, from the root of the object: `spec.rules[0].from[1].source.ipBlocks[2]`. */
  readonly path: string;
  /** What is wrong and what would be right. */
  readonly message: string;
  /** An error makes admission refuse the object. A warning is shown to whoever writes it, and nothing more. */
  readonly severity: 'error' | 'warning';
}

/** What was found in one object, in the order of finding, each problem once. */
export class ProblemList {
  readonly #problems: FieldProblem[] = [];
  readonly #seen = new Set<string>();

  add(problem: FieldProblem): void {
    const key = `${problem.severity} ${problem.path} ${problem.message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#problems.push(problem);
  }

  get all(): readonly FieldProblem[] {
    return this.#problems;
  }
}

/** The problems that make admission refuse the object. */
export function errorsOf(problems: readonly FieldProblem[]): FieldProblem[] {
  return problems.filter((problem) => problem.severity === 'error');
}

/** `path: message; path: message`, cut after `most` problems with a count of the rest. */
export function describeProblems(
  problems: readonly Pick<FieldProblem, 'path' | 'message'>[],
  most = 8,
): string {
  const shown = problems.slice(0, most).map((problem) => `${problem.path}: ${problem.message}`);
  if (problems.length > most) shown.push(`and ${problems.length - most} more`);
  return shown.join('; ');
}
