/** The requests that the lab has to answer as a real API server does, in the order in which they are made. */
import type { Ask } from './api-dialogue.ts';

const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const json = 'application/json-patch+json';
const apply = 'application/apply-patch+yaml';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const nul = '00000000-0000-0000-0000-000000000000';

type Body = Record<string, unknown>;

const containers = [{ name: 'c', image: 'example/c:1', ports: [{ containerPort: 80 }] }];
const labels = { app: 'a' };
const podTemplate = { metadata: { labels }, spec: { containers } };
const selector = { matchLabels: labels };

interface Sample {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly body: Body;
  readonly clusterWide?: boolean;
}

function samples(namespace: string): Sample[] {
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', body: { data: { a: '1' } } },
    { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', body: { stringData: { a: 'x' } } },
    { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts', body: {} },
    {
      apiVersion: 'v1',
      kind: 'Service',
      plural: 'services',
      body: { spec: { selector: labels, ports: [{ port: 80 }] } },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      plural: 'pods',
      body: { spec: { containers, automountServiceAccountToken: false } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      plural: 'deployments',
      body: { spec: { selector, template: podTemplate } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      plural: 'statefulsets',
      body: { spec: { serviceName: 's', selector, template: podTemplate } },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      plural: 'daemonsets',
      body: { spec: { selector, template: podTemplate } },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      plural: 'cronjobs',
      body: {
        spec: {
          schedule: '* * * * *',
          jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers } } } },
        },
      },
    },
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      plural: 'leases',
      body: { spec: { holderIdentity: 'me', leaseDurationSeconds: 15 } },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      plural: 'endpointslices',
      body: { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }], ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      plural: 'networkpolicies',
      body: { spec: { podSelector: selector, ingress: [{}] } },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      plural: 'ingresses',
      body: { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      plural: 'poddisruptionbudgets',
      body: { spec: { selector, minAvailable: 1 } },
    },
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      plural: 'horizontalpodautoscalers',
      body: {
        spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'one' } },
      },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      plural: 'roles',
      body: { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      plural: 'clusterroles',
      clusterWide: true,
      body: { rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      plural: 'workloadentries',
      body: { spec: { address: '10.1.2.3', labels } },
    },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      plural: 'authorizationpolicies',
      body: { spec: { selector, action: 'DENY', rules: [{ to: [{ operation: { ports: ['80'] } }] }] } },
    },
    {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      plural: 'gateways',
      body: {
        spec: { gatewayClassName: 'x', listeners: [{ name: 'l', port: 15008, protocol: 'HBONE' }] },
      },
    },
  ].map((sample) => ({ ...sample, namespace }));
}

/** Everyday life of an object of each kind. */
function lifeOf(sample: Sample, namespace: string): Ask[] {
  const { apiVersion, kind, plural, body } = sample;
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const collection =
    sample.clusterWide === true ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
  const name = sample.clusterWide === true ? namespace : 'one';
  const path = `${collection}/${name}`;
  const object = { apiVersion, kind, metadata: { name, labels }, ...body };
  return [
    { method: 'POST', path: collection, body: object },
    { method: 'POST', path: collection, body: object },
    { method: 'GET', path },
    { method: 'GET', path, accept: partial },
    { method: 'PATCH', path, type: merge, body: { metadata: { labels: { more: 'x' } } } },
    { method: 'PATCH', path, type: json, body: [{ op: 'remove', path: '/metadata/labels/more' }] },
    {
      method: 'PATCH',
      path: `${path}?fieldManager=applier`,
      type: apply,
      body: { apiVersion, kind, metadata: { name, annotations: { note: 'a' } } },
    },
    {
      method: 'PATCH',
      path: `${path}?fieldManager=other`,
      type: apply,
      body: { apiVersion, kind, metadata: { name, annotations: { note: 'b' } } },
    },
    { method: 'PUT', path, body: { ...object, metadata: { ...object.metadata, resourceVersion: '1' } } },
    { method: 'DELETE', path, body: { preconditions: { uid: nul } } },
    { method: 'DELETE', path, body: { gracePeriodSeconds: 0 } },
    { method: 'GET', path },
  ];
}

/** What is refused, and what is special. */
function specials(namespace: string): Ask[] {
  const core = `/api/v1/namespaces/${namespace}`;
  const maps = `${core}/configmaps`;
  const pods = `${core}/pods`;
  const services = `${core}/services`;
  const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const entries = `/apis/networking.istio.io/v1/namespaces/${namespace}/workloadentries`;
  const map = (name: string, more: Body = {}): Body => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    ...more,
  });
  const pod = (name: string, spec: Body): Body => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { automountServiceAccountToken: false, ...spec },
  });
  const service = (name: string, spec: Body): Body => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec,
  });
  const deployment = (name: string, spec: Body): Body => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec,
  });
  const entry = (name: string, spec: Body): Body => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    metadata: { name },
    spec,
  });
  const post = (path: string, body: unknown): Ask => ({ method: 'POST', path, body });
  const get = (path: string): Ask => ({ method: 'GET', path });
  return [
    // Bodies that are no object of the collection.
    post(maps, '{'),
    post(maps, '[]'),
    post(maps, { ...map('x'), kind: 'Secret' }),
    post(maps, { ...map('x'), apiVersion: 'v2' }),
    post(maps, { ...map('x'), metadata: { name: 'x', namespace: 'another' } }),
    post(maps, { ...map('x'), metadata: {} }),
    post(maps, map('Upper')),
    post(maps, map('x', { metadata: { name: 'x', labels: { 'bad key': 'v' } } })),
    post(maps, map('x', { metadata: { name: 'x', labels: { a: 'bad value' } } })),
    post(maps, map('x', { metadata: { name: 'x', annotations: { 'bad key': 'v' } } })),
    post(maps, map('x', { metadata: { name: 'x', resourceVersion: '5' } })),
    post(maps, map('x', { data: { a: 1 } })),
    post(maps, map('x', { data: { 'bad key': '1' } })),
    post(`/api/v1/namespaces/none-such/configmaps`, map('x')),
    post('/api/v1/configmaps', map('x')),
    { method: 'POST', path: maps, body: '<x/>', type: 'application/xml' },
    { method: 'POST', path: maps, body: 'k8s', type: 'application/vnd.kubernetes.protobuf' },
    // Unknown fields.
    post(`${maps}?fieldValidation=Strict`, map('x', { nope: 1 })),
    post(`${maps}?fieldValidation=Warn`, map('warned', { nope: 1 })),
    post(`${maps}?fieldValidation=Ignore`, map('ignored', { nope: 1 })),
    post(`${maps}?fieldValidation=Maybe`, map('x')),
    post(`${maps}?dryRun=All`, map('dry')),
    post(`${maps}?dryRun=Some`, map('dry')),
    get(`${maps}/dry`),
    post(maps, { ...map(''), metadata: { generateName: 'gen-' } }),
    // Pods.
    post(pods, pod('none', { containers: [] })),
    post(pods, pod('twice', { containers: [containers[0], containers[0]] })),
    post(pods, pod('noimage', { containers: [{ name: 'c' }] })),
    post(pods, pod('badport', { containers: [{ ...containers[0], ports: [{ containerPort: 'x' }] }] })),
    post(pods, pod('policy', { containers, restartPolicy: 'Sometimes' })),
    post(pods, pod('p', { containers, tolerations: [{ operator: 'Exists' }] })),
    {
      method: 'PATCH',
      path: `${pods}/p`,
      type: strategic,
      body: { spec: { containers: [{ name: 'c', image: 'example/c:2' }] } },
    },
    {
      method: 'PATCH',
      path: `${pods}/p/status`,
      type: strategic,
      body: {
        status: { phase: 'Running', podIP: '10.1.2.3', conditions: [{ type: 'Ready', status: 'True' }] },
      },
    },
    {
      method: 'PATCH',
      path: `${pods}/p/status`,
      type: merge,
      body: { metadata: { labels: { from: 'status' } }, spec: { nodeName: 'n' } },
    },
    post(`${pods}/p/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'p' },
      target: { kind: 'Node', name: 'n' },
    }),
    post(`${pods}/p/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'p' },
      target: { kind: 'Node', name: 'm' },
    }),
    post(`${pods}/p/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } }),
    post(`${pods}/none/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'none' } }),
    // Services.
    post(services, service('headless', { clusterIP: 'None', ports: [{ port: 80, targetPort: 'http' }] })),
    post(services, service('two', { ports: [{ port: 80 }, { port: 81 }] })),
    post(services, service('none', {})),
    post(services, service('port', { ports: [{ port: 99999 }] })),
    post(services, service('external', { type: 'ExternalName', externalName: 'example.com' })),
    post(services, service('address', { clusterIP: 'x', ports: [{ port: 80 }] })),
    post(
      services,
      service('dup', {
        ports: [
          { name: 'a', port: 80 },
          { name: 'a', port: 81 },
        ],
      }),
    ),
    post(services, service('1digit', { ports: [{ port: 80 }] })),
    post(services, service('balanced', { type: 'LoadBalancer', ports: [{ port: 80 }] })),
    // Deployments, and their scale.
    post(
      deployments,
      deployment('other', { selector, template: { ...podTemplate, metadata: { labels: { app: 'b' } } } }),
    ),
    post(deployments, deployment('noselector', { template: podTemplate })),
    post(deployments, deployment('negative', { replicas: -1, selector, template: podTemplate })),
    post(deployments, deployment('d', { selector, template: podTemplate })),
    get(`${deployments}/d/scale`),
    { method: 'PATCH', path: `${deployments}/d/scale`, type: merge, body: { spec: { replicas: 3 } } },
    {
      method: 'PUT',
      path: `${deployments}/d/scale`,
      body: {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name: 'd', namespace },
        spec: { replicas: 4 },
      },
    },
    get(`${deployments}/d`),
    {
      method: 'PATCH',
      path: `${deployments}/d`,
      type: strategic,
      body: {
        spec: {
          template: { spec: { $setElementOrder: undefined, containers: [{ name: 'side', image: 's' }] } },
        },
      },
    },
    {
      method: 'PATCH',
      path: `${deployments}/d`,
      type: strategic,
      body: { spec: { template: { spec: { containers: [{ name: 'side', $patch: 'delete' }] } } } },
    },
    {
      method: 'PATCH',
      path: `${deployments}/d`,
      type: merge,
      body: { spec: { selector: { matchLabels: { app: 'z' } } } },
    },
    // Patches.
    post(maps, map('m', { data: { a: '1' } })),
    { method: 'PATCH', path: `${maps}/m`, type: json, body: [{ op: 'test', path: '/data/a', value: '2' }] },
    { method: 'PATCH', path: `${maps}/m`, type: json, body: [{ op: 'remove', path: '/data/none' }] },
    { method: 'PATCH', path: `${maps}/m`, type: json, body: { op: 'add' } },
    { method: 'PATCH', path: `${maps}/m`, type: merge, body: '{' },
    { method: 'PATCH', path: `${maps}/m`, type: 'application/json', body: {} },
    { method: 'PATCH', path: `${maps}/m`, type: merge, body: { metadata: { name: 'other' } } },
    {
      method: 'PATCH',
      path: `${maps}/m`,
      type: merge,
      body: { metadata: { resourceVersion: '1' }, data: { b: '2' } },
    },
    { method: 'PATCH', path: `${maps}/m`, type: apply, body: map('m', { data: { a: '1' } }) },
    {
      method: 'PATCH',
      path: `${maps}/m?fieldManager=one`,
      type: apply,
      body: map('m', { data: { a: '2' } }),
    },
    {
      method: 'PATCH',
      path: `${maps}/m?fieldManager=one&force=true`,
      type: apply,
      body: map('m', { data: { a: '2' } }),
    },
    {
      method: 'PATCH',
      path: `${maps}/m?fieldManager=one`,
      type: apply,
      body: map('m', { data: { c: '3' } }),
    },
    { method: 'PATCH', path: `${maps}/m?fieldManager=one`, type: apply, body: map('other') },
    {
      method: 'PATCH',
      path: `${maps}/fresh?fieldManager=one`,
      type: apply,
      body: map('fresh', { data: { c: '3' } }),
    },
    { method: 'PATCH', path: `${maps}/none`, type: merge, body: {} },
    { method: 'PUT', path: `${maps}/none`, body: map('none') },
    { method: 'PUT', path: `${maps}/m`, body: map('other') },
    { method: 'PUT', path: `${maps}/m`, body: { ...map('m'), metadata: { name: 'm', uid: nul } } },
    { method: 'PUT', path: `${maps}/m`, body: map('m', { immutable: true, data: { a: '1' } }) },
    { method: 'PUT', path: `${maps}/m`, body: map('m', { immutable: true, data: { a: '2' } }) },
    // Lists.
    get(`${maps}?labelSelector=a%3D%3Db,c%20in%20(d)`),
    get(`${maps}?labelSelector=a%20b`),
    get(`${maps}?fieldSelector=metadata.name%3Dm`),
    get(`${maps}?fieldSelector=data.a%3D1`),
    get(`${maps}?limit=x`),
    get(`${maps}?continue=nonsense`),
    get(`${maps}?resourceVersion=x`),
    get(`${maps}?watch=1&resourceVersion=x`),
    get(`${maps}?watch=1&sendInitialEvents=true&timeoutSeconds=1`),
    { method: 'GET', path: `${maps}?fieldSelector=metadata.name%3Dm`, accept: table },
    { method: 'GET', path: `${maps}/m`, accept: 'application/xml' },
    // Custom resources.
    post(entries, entry('e', { address: '10.1.2.3', nope: 1 })),
    post(`${entries}?fieldValidation=Strict`, entry('strict', { address: '10.1.2.3', nope: 1 })),
    post(entries, entry('type', { address: 5 })),
    { method: 'PUT', path: `${entries}/e`, body: entry('e', { address: '10.1.2.4' }) },
    { method: 'PATCH', path: `${entries}/e`, type: strategic, body: {} },
    {
      method: 'PATCH',
      path: `${entries}/e/status`,
      type: merge,
      body: { status: { conditions: [{ type: 'A', status: 'True' }] }, spec: { address: 'no' } },
    },
    get(`/apis/networking.istio.io/v1beta1/namespaces/${namespace}/workloadentries/e`),
    // Paths and methods.
    get(`${core}/nones`),
    get('/apis/none.example.com/v1'),
    get(`${pods}/none/log`),
    { method: 'PUT', path: maps, body: map('m') },
    { method: 'POST', path: `${maps}/m`, body: map('m') },
    { method: 'DELETE', path: `${maps}/m`, body: { propagationPolicy: 'Sideways' } },
    { method: 'DELETE', path: `${maps}/m`, body: { preconditions: { resourceVersion: '1' } } },
    // Accounts and questions.
    post(`${core}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'bot' } }),
    post(`${core}/serviceaccounts/bot/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['x'] },
    }),
    post(`${core}/serviceaccounts/bot/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 5 },
    }),
    post(`${core}/serviceaccounts/none/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    }),
    post('/apis/authentication.k8s.io/v1/tokenreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: 'no' },
    }),
    get('/apis/authentication.k8s.io/v1/tokenreviews'),
    // Autoscalers in their old version.
    post(`/apis/autoscaling/v1/namespaces/${namespace}/horizontalpodautoscalers`, {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'old' },
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      },
    }),
    get(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/old`),
    { method: 'DELETE', path: maps },
    { method: 'DELETE', path: entries },
  ];
}

export function dialogueRequests(namespace: string): Ask[] {
  return [...samples(namespace).flatMap((sample) => lifeOf(sample, namespace)), ...specials(namespace)];
}
