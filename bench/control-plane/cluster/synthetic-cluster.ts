/** A cluster as teams have them, of any size, always the same: what the control plane is measured with. */

/** An object of the API, as it is loaded. */
export type Manifest = Readonly<Record<string, unknown>>;

export interface ClusterShape {
  readonly pods: number;
  readonly nodes: number;
}

/** What a client of everything ends up with. */
export interface ExpectedResources {
  readonly addresses: number;
  readonly policies: number;
}

export interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Where a pod is, and as whom it runs. */
export interface PodPlace extends Account {
  readonly name: string;
  readonly node: string;
}

const podsPerApp = 10;
const appsPerNamespace = 25;
/** One namespace in so many has a policy, besides the one that each mesh has. */
const namespacesPerPolicy = 2;
const regions = ['eu-central-1', 'eu-west-1'] as const;
/** Label by which a change of a pod shows in its workload: it becomes the canonical revision. */
export const revisionLabel = 'service.istio.io/canonical-revision';

const appOf = (pod: number): number => Math.floor(pod / podsPerApp);
const namespaceOf = (app: number): string => `team-${Math.floor(app / appsPerNamespace)}`;
const nodeName = (node: number): string =>
  `ip-10-0-${node >> 8}-${node & 255}.${regions[0]}.compute.internal`;
const address = (net: number, index: number): string =>
  `${net}.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

export function podPlace({ nodes }: ClusterShape, pod: number): PodPlace {
  const app = appOf(pod);
  return {
    namespace: namespaceOf(app),
    name: `checkout-service-${app}-7d9f8b6c5d-${pod.toString(36).padStart(5, 'x')}`,
    serviceAccount: `checkout-service-${app}`,
    node: nodeName(pod % nodes),
  };
}

/** The first service accounts; there are fewer in a small cluster. */
export function accountsOf(shape: ClusterShape, count: number): Account[] {
  const apps = Math.min(count, Math.ceil(shape.pods / podsPerApp));
  return Array.from({ length: apps }, (_, app) => {
    const { namespace, serviceAccount } = podPlace(shape, app * podsPerApp);
    return { namespace, serviceAccount };
  });
}

export function expectedResources({ pods }: ClusterShape): ExpectedResources {
  const namespaces = Math.ceil(Math.ceil(pods / podsPerApp) / appsPerNamespace);
  // The one more is what every workload of a strict mesh names.
  return {
    addresses: pods + Math.ceil(pods / podsPerApp),
    policies: Math.ceil(namespaces / namespacesPerPolicy) + 1,
  };
}

/**
 * Everything but what the API has from the start, in an order in which it can be created. Is to be told the uid that each
 * object was given, since others name it.
 */
export function* syntheticCluster(shape: ClusterShape): Generator<Manifest, void, string> {
  const apps = Math.ceil(shape.pods / podsPerApp);
  for (let node = 0; node < shape.nodes; node++) yield nodeManifest(node);
  yield namespaceManifest('istio-system');
  yield peerAuthentication();
  for (let app = 0; app < apps; app++) {
    const namespace = namespaceOf(app);
    if (app % appsPerNamespace === 0) {
      yield namespaceManifest(namespace);
      if ((app / appsPerNamespace) % namespacesPerPolicy === 0) yield authorizationPolicy(namespace);
    }
    const first = app * podsPerApp;
    const members = Math.min(podsPerApp, shape.pods - first);
    yield serviceAccount(namespace, app);
    yield service(namespace, app);
    const uids: string[] = [];
    for (let pod = first; pod < first + members; pod++) uids.push(yield podManifest(shape, pod));
    yield endpointSlice(shape, namespace, app, uids);
  }
}

function namespaceManifest(name: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'istio.io/dataplane-mode': 'ambient' } },
  };
}

function nodeManifest(node: number): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName(node),
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': nodeName(node),
        'node.kubernetes.io/instance-type': 'm6i.4xlarge',
        'topology.kubernetes.io/region': regions[0],
        'topology.kubernetes.io/zone': `${regions[0]}${'abc'[node % 3]}`,
      },
    },
    spec: { podCIDR: `10.${node >> 8}.${node & 255}.0/24` },
  };
}

function peerAuthentication(): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'default', namespace: 'istio-system' },
    spec: { mtls: { mode: 'STRICT' } },
  };
}

function authorizationPolicy(namespace: string): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'from-frontends', namespace },
    spec: {
      action: 'ALLOW',
      rules: [
        {
          from: [{ source: { principals: [`cluster.local/ns/${namespace}/sa/*`] } }],
          to: [{ operation: { ports: ['8080'] } }],
        },
        { from: [{ source: { namespaces: ['team-0'] } }] },
      ],
    },
  };
}

const labelsOf = (app: number): Record<string, string> => ({
  app: `checkout-service-${app}`,
  'app.kubernetes.io/managed-by': 'Helm',
});

function service(namespace: string, app: number): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `checkout-service-${app}`, namespace, labels: labelsOf(app) },
    spec: {
      type: 'ClusterIP',
      clusterIP: address(10, (96 << 16) + (1 << 8) + app),
      selector: { app: `checkout-service-${app}` },
      ports: [
        { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' },
        { name: 'grpc', port: 9000, targetPort: 9000, protocol: 'TCP' },
      ],
    },
  };
}

const podAddress = (pod: number): string => address(172, (16 << 16) + pod);

/** As long as pods are: most of it is nothing that a mesh reads. */
function podManifest(shape: ClusterShape, pod: number): Manifest {
  const app = appOf(pod);
  const { namespace, name, serviceAccount, node } = podPlace(shape, pod);
  const since = '2026-01-05T08:30:00Z';
  const condition = (type: string): Manifest => ({ type, status: 'True', lastTransitionTime: since });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...labelsOf(app), 'pod-template-hash': '7d9f8b6c5d', [revisionLabel]: 'v1' },
      annotations: { 'ambient.istio.io/redirection': 'enabled', 'prometheus.io/scrape': 'true' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: `checkout-service-${app}-7d9f8b6c5d`,
          uid: `6f1c2b0e-0000-4000-8000-${app.toString(16).padStart(12, '0')}`,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      nodeName: node,
      serviceAccountName: serviceAccount,
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      containers: [
        {
          name: 'app',
          image: 'registry.example.com/shop/checkout-service:1.24.3',
          imagePullPolicy: 'IfNotPresent',
          ports: [
            { name: 'http', containerPort: 8080, protocol: 'TCP' },
            { name: 'grpc', containerPort: 9000, protocol: 'TCP' },
          ],
          env: [
            { name: 'DATABASE_HOST', value: `postgres.${namespace}.svc.cluster.local` },
            { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
            { name: 'LOG_LEVEL', value: 'info' },
          ],
          resources: {
            limits: { cpu: '1', memory: '512Mi' },
            requests: { cpu: '100m', memory: '256Mi' },
          },
          readinessProbe: { httpGet: { path: '/ready', port: 8080, scheme: 'HTTP' }, periodSeconds: 5 },
          livenessProbe: { httpGet: { path: '/live', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
          volumeMounts: [
            { name: 'config', mountPath: '/etc/app', readOnly: true },
            { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
          ],
        },
      ],
      volumes: [
        { name: 'config', configMap: { name: `checkout-service-${app}`, defaultMode: 420 } },
        {
          name: 'token',
          projected: {
            defaultMode: 420,
            sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }],
          },
        },
      ],
      tolerations: [
        {
          key: 'node.kubernetes.io/not-ready',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
      ],
    },
    status: {
      phase: 'Running',
      hostIP: address(10, pod % shape.nodes),
      podIP: podAddress(pod),
      podIPs: [{ ip: podAddress(pod) }],
      qosClass: 'Burstable',
      startTime: since,
      conditions: [
        'PodReadyToStartContainers',
        'Initialized',
        'Ready',
        'ContainersReady',
        'PodScheduled',
      ].map(condition),
      containerStatuses: [
        {
          name: 'app',
          image: 'registry.example.com/shop/checkout-service:1.24.3',
          imageID: `registry.example.com/shop/checkout-service@sha256:${'3f'.repeat(32)}`,
          containerID: `containerd://${pod.toString(16).padStart(64, '0')}`,
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: since } },
        },
      ],
    },
  };
}

function serviceAccount(namespace: string, app: number): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: `checkout-service-${app}`, namespace },
  };
}

function endpointSlice(
  shape: ClusterShape,
  namespace: string,
  app: number,
  uids: readonly string[],
): Manifest {
  const first = app * podsPerApp;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `checkout-service-${app}-abcde`,
      namespace,
      labels: { ...labelsOf(app), 'kubernetes.io/service-name': `checkout-service-${app}` },
    },
    addressType: 'IPv4',
    ports: [
      { name: 'http', port: 8080, protocol: 'TCP' },
      { name: 'grpc', port: 9000, protocol: 'TCP' },
    ],
    endpoints: uids.map((uid, index) => {
      const { name, node } = podPlace(shape, first + index);
      return {
        addresses: [podAddress(first + index)],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: node,
        targetRef: { kind: 'Pod', namespace, name, uid },
        zone: `${regions[0]}a`,
      };
    }),
  };
}
