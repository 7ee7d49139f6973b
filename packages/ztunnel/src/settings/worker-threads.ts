import type { WorkerThreadsSetting } from './value-types.ts';

/** What the number of data workers follows from. */
export interface WorkerThreadInputs {
  readonly setting: WorkerThreadsSetting | undefined;
  /** `concurrency` of the proxy config; 0 means one per CPU. */
  readonly concurrency: number | undefined;
  /** CPUs, may be fractions; 0 counts as unset. */
  readonly cpuLimit: number | undefined;
  readonly cpuRequest: number | undefined;
  /** CPUs of the machine, at least 1. */
  readonly cpuCount: number;
}

/**
 * The number of data workers, at least 1, by the rule of Istio's ztunnel: what is set; else the proxy config; else, with
 * a CPU limit, as many as limit and request allow; else enough to use a quarter of the machine, but at least 2.
 */
export function workerThreads(inputs: WorkerThreadInputs): number {
  const { setting, concurrency, cpuCount } = inputs;
  if (setting?.kind === 'count') return setting.count;
  if (setting?.kind === 'percent') return Math.max(1, Math.ceil((cpuCount * setting.percent) / 100));
  if (concurrency !== undefined) return concurrency > 0 ? concurrency : Math.max(1, Math.ceil(cpuCount));
  const limit = Math.ceil(inputs.cpuLimit ?? 0);
  const request = Math.ceil(inputs.cpuRequest ?? 0);
  if (limit > 0) return Math.max(limit, request);
  return Math.max(2, request, Math.ceil(cpuCount / 4));
}
