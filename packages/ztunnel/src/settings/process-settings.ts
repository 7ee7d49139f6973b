import { bool, defineSettings, derived, int, oneOf, optional, text } from '@ambient/runtime';
import { cpuQuantity, logLevels, workerThreadsType, workloadName } from './value-types.ts';
import { ztunnelDuration } from './ztunnel-duration.ts';

export const processSettings = defineSettings('Process', {
  proxyMode: {
    env: 'PROXY_MODE',
    type: oneOf('shared', 'dedicated'),
    default: 'shared',
    doc: '`shared` serves all pods of a node, whose namespaces the CNI agent hands over; `dedicated` serves the one workload in whose namespace it runs.',
  },
  proxyWorkloadInfo: {
    env: 'PROXY_WORKLOAD_INFO',
    type: optional(workloadName),
    default: undefined,
    doc: 'The workload of dedicated mode, which requires it.',
  },
  proxyEnabled: {
    env: 'ENABLE_PROXY',
    type: bool,
    default: true,
    doc: 'Whether to carry traffic at all; without it only DNS is served.',
  },
  workerThreads: {
    env: 'ZTUNNEL_WORKER_THREADS',
    type: optional(workerThreadsType),
    default: derived(
      "`concurrency` of the proxy config; else the larger of CPU limit and request if there is a limit; else the largest of 2, the request and a quarter of the machine's CPUs",
      () => undefined,
    ),
    doc: 'Data workers: threads that carry traffic, or a percentage of the CPUs, rounded up.',
  },
  cpuLimit: {
    env: 'ZTUNNEL_RESOURCE_CPU_LIMIT',
    type: optional(cpuQuantity),
    default: undefined,
    doc: 'CPU limit of the container, for the number of workers.',
  },
  cpuRequest: {
    env: 'ZTUNNEL_RESOURCE_CPU_REQUEST',
    type: optional(cpuQuantity),
    default: undefined,
    doc: 'CPU request of the container, for the number of workers.',
  },
  cpuCount: {
    env: 'ZTUNNEL_CPU_LIMIT',
    type: optional(cpuQuantity),
    default: undefined,
    doc: 'CPUs of the machine, if the process cannot see them itself.',
  },
  terminationDeadlineMs: {
    env: 'CONNECTION_TERMINATION_DEADLINE',
    type: optional(ztunnelDuration()),
    default: derived(
      '`TERMINATION_GRACE_PERIOD_SECONDS` less 5 s (less 1 s if it is 10 or below), else `5s`',
      () => undefined,
    ),
    doc: 'How long connections may go on after the process has been told to end.',
  },
  terminationGracePeriodSeconds: {
    env: 'TERMINATION_GRACE_PERIOD_SECONDS',
    type: optional(int({ min: 0, max: 86_400 })),
    default: undefined,
    doc: "The pod's `terminationGracePeriodSeconds`.",
  },
  ipv6Enabled: {
    env: 'IPV6_ENABLED',
    type: bool,
    default: true,
    doc: 'Listen on IPv6 as well as IPv4, and answer AAAA queries.',
  },
  logLevels: {
    env: 'RUST_LOG',
    type: logLevels,
    default: 'info',
    doc: 'Log levels, general and by scope: `info,access=debug,h2=off`.',
  },
  logFormat: {
    env: 'LOG_FORMAT',
    type: oneOf('plain', 'json'),
    default: 'plain',
    doc: 'Tab-separated text, or one JSON object a line.',
  },
  proxyConfig: {
    env: 'PROXY_CONFIG',
    type: text,
    default: '',
    doc: "Istio's ProxyConfig as YAML; laid over `defaultConfig` of `./etc/istio/config/mesh`. See below.",
  },
});
