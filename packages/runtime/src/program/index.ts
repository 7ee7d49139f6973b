// Public surface of @ambient/runtime/program: the life of a process that serves. Apart, since worker threads have no use for it.
export type { LifeContext, LifeSettings, ProcessHost, ProcessLife } from './process-life.ts';
export { runProcess } from './process-life.ts';
export type { EndWish, SignalledLife } from './run-until-signal.ts';
export { runUntilSignal } from './run-until-signal.ts';
export { onShutdownSignals } from './shutdown-signals.ts';
