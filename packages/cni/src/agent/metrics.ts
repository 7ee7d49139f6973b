/** Metrics of the node agent. */
import type { MetricDefinition, MetricsRegistry } from '@ambient/runtime';

const names = {
  ztunnels: 'ztunnel_connected',
  pods: 'istio_cni_pods',
  steps: 'istio_cni_pod_changes_total',
  captureSeconds: 'istio_cni_capture_seconds',
  drift: 'istio_cni_rule_drift_total',
  events: 'nodeagent_reconcile_events_total',
  pluginCalls: 'istio_cni_plugin_requests_total',
  installs: 'istio_cni_installs_total',
  installed: 'istio_cni_install_ready',
  captureProven: 'istio_cni_capture_proven',
  captureGap: 'istio_cni_capture_gap',
  captureUnproven: 'istio_cni_capture_unproven',
  captureGaps: 'istio_cni_capture_gaps_total',
  plaintext: 'istio_cni_plaintext_connections',
  plaintextCut: 'istio_cni_plaintext_connections_cut_total',
  lostSettings: 'istio_cni_kernel_setting_failures_total',
} as const;

export const agentMetrics: readonly MetricDefinition[] = [
  { name: names.ztunnels, help: 'Ztunnels connected to this agent.', type: 'gauge', labels: [] },
  {
    name: names.pods,
    help: 'Pods of the node by state: captured, pending (wanted, not captured), releasing.',
    type: 'gauge',
    labels: ['state'],
    boundedLabels: ['state'],
  },
  {
    name: names.steps,
    help: 'Captures and releases of pods, by what asked for them and by outcome.',
    type: 'counter',
    labels: ['change', 'outcome'],
    boundedLabels: ['change', 'outcome'],
  },
  {
    name: names.captureSeconds,
    help: 'Seconds that one capture of a pod took, from its turn on.',
    type: 'histogram',
    labels: [],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  {
    name: names.drift,
    help: 'Captured pods whose rules were not as set, by what became of it: repaired, failed.',
    type: 'counter',
    labels: ['outcome'],
    boundedLabels: ['outcome'],
  },
  {
    name: names.events,
    help: "What the API server has told of the node's pods and of namespaces: add, update, delete.",
    type: 'counter',
    labels: ['type'],
    boundedLabels: ['type'],
  },
  {
    name: names.pluginCalls,
    help: 'Requests of the CNI plugin by HTTP status of the answer.',
    type: 'counter',
    labels: ['response_code'],
    boundedLabels: ['response_code'],
  },
  {
    name: names.installs,
    help: 'Installations and repairs of the plugin: SUCCESS, or the step that failed, in the words of Istio.',
    type: 'counter',
    labels: ['result'],
    boundedLabels: ['result'],
  },
  {
    name: names.installed,
    help: "1 while the plugin is part of the node's network.",
    type: 'gauge',
    labels: [],
  },
  {
    name: names.captureProven,
    help: 'Captured pods of which it is proven that their traffic reaches ztunnel.',
    type: 'gauge',
    labels: [],
  },
  {
    name: names.captureGap,
    help: 'Captured pods whose traffic does not reach ztunnel now.',
    type: 'gauge',
    labels: [],
  },
  {
    name: names.captureUnproven,
    help: 'Captured pods of which it cannot be told whether their traffic reaches ztunnel.',
    type: 'gauge',
    labels: [],
  },
  {
    name: names.captureGaps,
    help: 'Gaps in the capture of pods, by reason and by what became of them: repaired (at once), open (repair did not help), over (after it did not).',
    type: 'counter',
    labels: ['reason', 'outcome'],
    boundedLabels: ['reason', 'outcome'],
  },
  {
    name: names.plaintext,
    help: 'Connections of captured pods that go past ztunnel because they are older than the capture.',
    type: 'gauge',
    labels: [],
  },
  {
    name: names.plaintextCut,
    help: 'Such connections that were cut (CUT_PLAINTEXT_CONNECTIONS).',
    type: 'counter',
    labels: [],
  },
  {
    name: names.lostSettings,
    help: 'Kernel settings of pods that could not be made: open connections may break when a pod is captured.',
    type: 'counter',
    labels: ['setting'],
    boundedLabels: ['setting'],
  },
];

/** Values of `result` of the installations, as Istio's agent counts them. */
export type InstallResult =
  'SUCCESS' | 'CREATE_KUBECONFIG_FAILURE' | 'COPY_BINARIES_FAILURE' | 'CREATE_CNI_CONFIG_FAILURE';

export type PodChange = 'capture' | 'plugin-capture' | 'update' | 'release' | 'end';
export type PodState = 'captured' | 'pending' | 'releasing';

/** What the agent counts. */
export class AgentMetrics {
  readonly #registry: MetricsRegistry;

  constructor(registry: MetricsRegistry) {
    this.#registry = registry;
    this.ztunnels(0);
    this.installed(false);
  }

  ztunnels(count: number): void {
    this.#registry.set(names.ztunnels, [], count);
  }

  pods(state: PodState, count: number): void {
    this.#registry.set(names.pods, [state], count);
  }

  changed(change: PodChange, outcome: 'done' | 'failed'): void {
    this.#registry.add(names.steps, [change, outcome]);
  }

  captureTook(seconds: number): void {
    this.#registry.observe(names.captureSeconds, [], seconds);
  }

  drift(outcome: 'repaired' | 'failed'): void {
    this.#registry.add(names.drift, [outcome]);
  }

  reconciled(type: 'add' | 'update' | 'delete'): void {
    this.#registry.add(names.events, [type]);
  }

  pluginCall(status: number): void {
    this.#registry.add(names.pluginCalls, [String(status)]);
  }

  installLook(result: InstallResult): void {
    this.#registry.add(names.installs, [result]);
  }

  installed(ready: boolean): void {
    this.#registry.set(names.installed, [], ready ? 1 : 0);
  }

  proofs(counts: { readonly proven: number; readonly gap: number; readonly unproven: number }): void {
    this.#registry.set(names.captureProven, [], counts.proven);
    this.#registry.set(names.captureGap, [], counts.gap);
    this.#registry.set(names.captureUnproven, [], counts.unproven);
  }

  captureGap(reason: string, outcome: 'repaired' | 'open' | 'over'): void {
    this.#registry.add(names.captureGaps, [reason, outcome]);
  }

  plaintextConnections(count: number): void {
    this.#registry.set(names.plaintext, [], count);
  }

  connectionsCut(count: number): void {
    this.#registry.add(names.plaintextCut, [], count);
  }

  settingFailed(setting: string): void {
    this.#registry.add(names.lostSettings, [setting]);
  }
}
