/** What one step of the test run came to. */
export interface StepResult {
  readonly name: string;
  readonly passed: number;
  /** Titles of what failed. */
  readonly failures: readonly string[];
  /** Titles of what failed at first and passed when its file was run once more; counted as passed. */
  readonly unsteady?: readonly string[];
}
