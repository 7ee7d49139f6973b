import type { Pod } from '../../../test/netns/harness/index.ts';

/** What the node agent sets on a pod whose connections it has redirected: from then on it is reached over HBONE. */
export const REDIRECTION = 'ambient.istio.io/redirection';
/** What an operator sets on a namespace that is to be in the mesh. */
export const DATAPLANE_MODE = 'istio.io/dataplane-mode';

/** One pod of the tour, as the API tells of it. */
export interface PodObject {
  readonly namespace: string;
  readonly pod: Pod;
  readonly image: string;
}

/** A Service of the tour: one name and address for a pod. */
export interface ServiceObject {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly target: Pod;
}

type Json = Readonly<Record<string, unknown>>;

/** Everything that a cluster's users, scheduler, kubelets and endpoint controller would have written, as one List. */
export function clusterObjects(pods: readonly PodObject[], services: readonly ServiceObject[]): Json {
  const namespaces = [...new Set(pods.map(({ namespace }) => namespace))];
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      ...namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...pods.flatMap(({ namespace, pod, image }) => [
        nodeObject(pod),
        {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: pod.workload.serviceAccount, namespace },
        },
        podObject(namespace, pod, image),
      ]),
      ...services.flatMap((service) => [serviceObject(service), sliceObject(service)]),
    ],
  };
}

function nodeObject(pod: Pod): Json {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: pod.workload.node },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

function podObject(namespace: string, pod: Pod, image: string): Json {
  const { serviceAccount, node } = pod.workload;
  const ready = [
    { type: 'Ready', status: 'True' },
    { type: 'ContainersReady', status: 'True' },
  ];
  const container = { name: pod.name, image };
  const now = new Date().toISOString().replace(/\.\d+/, '');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod.name, namespace, labels: { app: pod.name } },
    spec: { serviceAccountName: serviceAccount, nodeName: node, containers: [container] },
    status: {
      phase: 'Running',
      conditions: ready,
      podIP: pod.ipv4,
      podIPs: [{ ip: pod.ipv4 }, { ip: pod.ipv6 }],
      hostIP: pod.ipv4,
      startTime: now,
      containerStatuses: [
        {
          ...container,
          imageID: image,
          ready: true,
          restartCount: 0,
          started: true,
          state: { running: { startedAt: now } },
        },
      ],
    },
  };
}

function serviceObject({ namespace, name, address, ports, target }: ServiceObject): Json {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      clusterIP: address,
      clusterIPs: [address],
      selector: { app: target.name },
      ports: portList(ports),
    },
  };
}

function sliceObject({ namespace, name, ports, target }: ServiceObject): Json {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: portList(ports),
    endpoints: [
      {
        addresses: [target.ipv4],
        conditions: { ready: true },
        nodeName: target.workload.node,
        targetRef: { kind: 'Pod', namespace, name: target.name },
      },
    ],
  };
}

function portList(ports: Readonly<Record<string, number>>): Json[] {
  return Object.entries(ports).map(([name, port]) => ({ name, port, protocol: 'TCP' }));
}
