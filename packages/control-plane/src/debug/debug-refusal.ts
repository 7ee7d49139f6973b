/** A question to a debug page that is not answered. The text goes to whoever asked, and names the remedy. */
export class DebugRefusal extends Error {
  override readonly name = 'DebugRefusal';
  readonly code = 'debug-refused';
  /** HTTP status. */
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
