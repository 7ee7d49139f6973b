import { createInterface } from 'node:readline';

/** One line of what the half inside tells. */
export type ProgressLine =
  | { readonly phase: string; readonly text: string }
  | { readonly ready: true; readonly kubeconfig: string }
  | { readonly failed: string };

/** Shows what is told to people. */
export function showProgress(from: NodeJS.ReadableStream, to: NodeJS.WritableStream): void {
  createInterface({ input: from }).on('line', (line) => {
    const message = JSON.parse(line) as ProgressLine;
    if ('ready' in message) to.write(`ready; export KUBECONFIG=${message.kubeconfig}\n`);
    else if ('text' in message) to.write(`${message.text} ...\n`);
  });
}
