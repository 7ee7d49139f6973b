import { isIP } from 'node:net';
import { custom, logLevels as logLevelsUnder, ValueError } from '@ambient/runtime';
import type { SettingType } from '@ambient/runtime';

/** An IPv4 or IPv6 address, as written. */
export const ipAddress: SettingType<string> = custom(
  'IP address',
  (raw) => {
    if (isIP(raw.trim()) === 0) throw new ValueError('an IPv4 or IPv6 address');
    return raw.trim();
  },
  (value) => value,
);

/** A Kubernetes CPU quantity as a number of CPUs: `2`, `1.5`, `500m`. */
export const cpuQuantity: SettingType<number> = custom(
  'CPU quantity',
  (raw) => {
    const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(raw.trim());
    const cpus = Number(match?.[1]) / (match?.[2] === 'm' ? 1000 : 1);
    // Threads are counted by it, and no machine has more.
    if (!(cpus <= 9999)) throw new ValueError('a CPU quantity such as 2, 1.5 or 500m');
    return cpus;
  },
  String,
);

/** A fixed number of threads, or a share of the machine's CPUs. */
export type WorkerThreadsSetting =
  { readonly kind: 'count'; readonly count: number } | { readonly kind: 'percent'; readonly percent: number };

/** `4` or `25%`. */
export const workerThreadsType: SettingType<WorkerThreadsSetting> = custom(
  'number or percentage',
  (raw) => {
    const value = raw.trim();
    const percent = /^(\d+(?:\.\d+)?)%$/.exec(value);
    if (percent !== null && Number(percent[1]) > 0 && Number(percent[1]) <= 100)
      return { kind: 'percent', percent: Number(percent[1]) };
    if (percent === null && /^\d{1,4}$/.test(value) && Number(value) > 0)
      return { kind: 'count', count: Number(value) };
    throw new ValueError('a number of threads of at least 1, or a percentage of the CPUs such as 25%');
  },
  (value) => (value.kind === 'count' ? String(value.count) : `${value.percent}%`),
);

/** One workload, as the environment names it. */
export interface WorkloadName {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
}

/** `namespace/name/service-account`. */
export const workloadName: SettingType<WorkloadName> = custom(
  'namespace/name/service-account',
  (raw) => {
    const [namespace = '', name = '', serviceAccount = '', ...rest] = raw.trim().split('/');
    if (namespace === '' || name === '' || serviceAccount === '' || rest.length > 0)
      throw new ValueError('namespace/name/service-account');
    return { namespace, name, serviceAccount };
  },
  (value) => `${value.namespace}/${value.name}/${value.serviceAccount}`,
);

/** The syntax of `RUST_LOG`, kept as text once it is known to be right. */
export const logLevels: SettingType<string> = logLevelsUnder('ztunnel');
