// @ambient/testkit/lab: namespaces, leak check and sample programs, without the packages of the mesh itself, for the
// benchmark and whoever must run before or apart from those.
export { NetnsError } from './netns/errors.ts';
export type { NetnsErrorCode } from './netns/errors.ts';
export { NetnsLab } from './netns/lab.ts';
export type { LabOptions, NetworkOptions } from './netns/lab.ts';
export { LabProcess } from './netns/lab-process.ts';
export type { ProcessExit } from './netns/lab-process.ts';
export { Netns } from './netns/namespace.ts';
export type { CommandResult, RunOptions } from './netns/namespace.ts';
export { applyRedirect } from './netns/redirect.ts';
export type { OutboundRedirect, RedirectOptions } from './netns/redirect.ts';
export { statFields } from './netns/run-id.ts';
export { assertNoLeak, countDescriptors, LeakError, takeLeakSnapshot } from './leak-check.ts';
export type { LeakScope, LeakSnapshot } from './leak-check.ts';
export { memoryBytes, processorTime } from './process-use.ts';
export type { ProcessorTime } from './process-use.ts';
export { sampleApp } from './sample-apps/commands.ts';
export type { SampleApp } from './sample-apps/commands.ts';
export { waitFor, waitThroughFailures } from './wait-for.ts';
