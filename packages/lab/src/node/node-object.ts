// The Node and its Lease as the API server is told of them. Pure.
import { formatTime } from '@ambient/kube';

export interface NodeFacts {
  readonly name: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
  readonly podCidrs: readonly string[];
  /** Beside `kubernetes.io/hostname`, of the system, and of the zone. */
  readonly labels: Readonly<Record<string, string>>;
  readonly zone: string | undefined;
  readonly capacity: Readonly<Record<string, string>>;
  readonly machine: {
    readonly kernel: string;
    readonly architecture: string;
    readonly system: string;
    readonly bootId: string;
  };
}

/** Longer than a few heartbeats, as `node-lease-duration-seconds` of a kubelet. */
export const leaseSeconds = 40;
export const heartbeatMs = 10_000;

export function nodeLabels({ name, zone, labels, machine }: NodeFacts): Record<string, string> {
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': machine.architecture,
    ...(zone === undefined
      ? {}
      : {
          'topology.kubernetes.io/zone': zone,
          'topology.kubernetes.io/region': zone.replace(/-?[a-z0-9]$/, ''),
        }),
    ...labels,
  };
}

export function nodeObject(facts: NodeFacts): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: facts.name, labels: nodeLabels(facts) },
    spec: { podCIDR: facts.podCidrs[0], podCIDRs: facts.podCidrs },
  };
}

export interface NodeHealth {
  readonly ready: boolean;
  /** Why not. */
  readonly message: string;
}

/** @param since when a condition has come to be what it is; Unix time in milliseconds */
export function nodeStatus(
  facts: NodeFacts,
  { ready, message }: NodeHealth,
  nowMs: number,
  sinceMs: number,
): Record<string, unknown> {
  const condition = (type: string, status: string, reason: string, text: string): object => ({
    ...{ type, status, reason, message: text },
    lastHeartbeatTime: formatTime(nowMs),
    lastTransitionTime: formatTime(type === 'Ready' ? sinceMs : nowMs),
  });
  return {
    addresses: [
      // Merged by type, one address of two families would be left.
      { $patch: 'replace' },
      ...facts.addresses.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: facts.name },
    ],
    capacity: facts.capacity,
    allocatable: facts.capacity,
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'memory is not looked at in a lab'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'disks are not looked at in a lab'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'processes are not counted in a lab'),
      ready
        ? condition('Ready', 'True', 'KubeletReady', 'the node takes pods')
        : condition('Ready', 'False', 'KubeletNotReady', message),
    ],
    nodeInfo: {
      machineID: facts.name,
      systemUUID: facts.name,
      bootID: facts.machine.bootId,
      kernelVersion: facts.machine.kernel,
      osImage: 'ambient lab',
      containerRuntimeVersion: 'lab://1',
      kubeletVersion: 'v1.32.0',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: facts.machine.architecture,
    },
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
  };
}
