/** What one step of the test run came to. */
export interface StepResult {
  readonly name: string;
  readonly passed: number;
  /** Titles of what failed. */
  readonly failures: readonly string[];
}
