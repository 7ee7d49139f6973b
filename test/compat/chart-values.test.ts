import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Schema } from '../../scripts/crds/schema.ts';
import { schemaErrors } from '../../scripts/crds/manifests.ts';
import { chartPath } from '../../scripts/charts/rendered.ts';

/** What Istio's charts have in their files of values: whoever has such a file keeps it. */
const image = { hub: 'registry.example/mesh', tag: 'latest', variant: '', imagePullPolicy: '' };
const global = { ...image, logAsJson: false, logging: { level: 'info' }, imagePullSecrets: [], network: '' };
const cni = {
  ...image,
  global,
  image: 'install-cni',
  pullPolicy: '',
  logging: { level: '' },
  cniBinDir: '/opt/cni/bin',
  cniConfDir: '/etc/cni/net.d',
  cniConfFileName: '',
  cniNetnsDir: '/var/run/netns',
  istioOwnedCNIConfig: false,
  istioOwnedCNIConfigFileName: '',
  excludeNamespaces: ['kube-system'],
  affinity: {},
  podAnnotations: {},
  podLabels: {},
  daemonSetLabels: {},
  chained: true,
  provider: 'default',
  ambient: {
    enabled: true,
    configDir: '',
    dnsCapture: true,
    ipv6: true,
    reconcileIptablesOnStartup: true,
    shareHostNetworkNamespace: false,
    enablementSelectors: [{ podSelector: { matchLabels: { 'istio.io/dataplane-mode': 'ambient' } } }],
  },
  repair: { enabled: true, repairPods: true, initContainerName: 'istio-validation' },
  seccompProfile: {},
  seLinuxOptions: {},
  resources: { requests: { cpu: '100m', memory: '100Mi' } },
  resourceQuotas: { enabled: false, pods: 5000 },
  tolerations: [{ effect: 'NoSchedule', operator: 'Exists' }],
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
  revision: '',
  ownerName: '',
  env: {},
};
const ztunnel = {
  ...image,
  global,
  image: 'ztunnel',
  resourceName: '',
  labels: {},
  annotations: {},
  volumes: [],
  volumeMounts: [],
  podAnnotations: { 'prometheus.io/port': '15020', 'prometheus.io/scrape': 'true' },
  podLabels: {},
  resources: { requests: { cpu: '200m', memory: '512Mi' } },
  imagePullSecrets: [],
  env: {},
  multiCluster: { clusterName: '' },
  meshConfig: { defaultConfig: { proxyMetadata: {} } },
  terminationGracePeriodSeconds: 30,
  revision: '',
  caAddress: '',
  xdsAddress: '',
  istioNamespace: 'istio-system',
  logLevel: 'info',
  logAsJson: false,
  seLinuxOptions: {},
};
/** Of the chart `istiod`, what has a meaning for a mesh without sidecars, and some that has none. */
const istiod = {
  ...image,
  global: {
    ...global,
    logging: { level: 'default:debug' },
    istioNamespace: 'istio-system',
    defaultPodDisruptionBudget: { enabled: true },
    defaultResources: { requests: { cpu: '10m' } },
    priorityClassName: '',
    proxy: { clusterDomain: 'cluster.local', resources: {} },
    networkPolicy: { enabled: false },
    multiCluster: { enabled: false, clusterName: '' },
    pilotCertProvider: 'istiod',
  },
  autoscaleEnabled: true,
  autoscaleMin: 1,
  autoscaleMax: 5,
  autoscaleBehavior: {},
  replicaCount: 1,
  rollingMaxSurge: '100%',
  rollingMaxUnavailable: '25%',
  image: 'pilot',
  traceSampling: 1,
  resources: { requests: { cpu: '500m', memory: '2048Mi' } },
  seccompProfile: {},
  cni: { enabled: true, provider: 'default' },
  extraContainerArgs: [],
  env: { PILOT_ENABLE_AMBIENT: 'true' },
  envVarFrom: [],
  taint: { enabled: false, namespace: '' },
  affinity: {},
  tolerations: [],
  cpu: { targetAverageUtilization: 80 },
  memory: {},
  volumeMounts: [],
  volumes: [],
  initContainers: [],
  nodeSelector: {},
  podAnnotations: {},
  serviceAnnotations: {},
  serviceAccountAnnotations: {},
  topologySpreadConstraints: [],
  deploymentLabels: {},
  deploymentAnnotations: {},
  configMap: true,
  podLabels: {},
  ipFamilyPolicy: '',
  ipFamilies: [],
  trustedZtunnelNamespace: '',
  trustedZtunnelName: '',
  revision: '',
  revisionTags: [],
  ownerName: '',
  meshConfig: { enablePrometheusMerge: true },
};
const base = {
  global: { imagePullSecrets: [], istioNamespace: 'istio-system', istiod: { enableAnalysis: false } },
  base: { excludedCRDs: [], enableCRDTemplates: true, validationURL: '', validationCABundle: '' },
  defaultRevision: 'default',
  experimental: { stableValidationPolicy: false },
};

describe("values of Istio's charts", () => {
  for (const [chart, values] of [
    ['base', base],
    ['cni', cni],
    ['ztunnel', ztunnel],
    ['control-plane', istiod],
  ] as const)
    it(`${chart}: are taken as they are`, () => {
      const schema = JSON.parse(readFileSync(join(chartPath(chart), 'values.schema.json'), 'utf8')) as Schema;
      expect(schemaErrors(schema, values)).to.deep.equal([]);
    });
});
