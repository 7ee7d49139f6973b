// Public surface of @ambient/cli.
export type { CliContext } from './context.ts';
export { runAmbientctl } from './program.ts';
