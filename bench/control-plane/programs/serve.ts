/** The child's side of a program that is asked by messages over Node's own channel between processes. */

/** What a program can be asked to do. */
export type Handlers = Readonly<Record<string, (input: never) => unknown>>;

/** What the parent sends. */
export interface Question {
  readonly id: number;
  readonly method: string;
  readonly input: unknown;
}

/** What comes back. */
export type Reply =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string };

/** Answers the parent's questions until it goes. */
export function serve(handlers: Handlers): void {
  process.on('message', (question: Question) => void answer(handlers, question));
  process.on('disconnect', () => process.exit());
}

async function answer(handlers: Handlers, { id, method, input }: Question): Promise<void> {
  let reply: Reply;
  try {
    reply = { id, result: await handlers[method]!(input as never) };
  } catch (error) {
    reply = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(reply);
}

/** Unix time in milliseconds, with a fraction: comparable between the processes of a machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Settles after so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
