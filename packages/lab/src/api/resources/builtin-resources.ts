import { autoscalerFromV1, autoscalerToV1 } from '../kinds/autoscaler-versions.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import type { Resource, ResourceVersion, ScalePaths } from './resource.ts';

interface Row {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly short?: readonly string[];
  /** Default: true. */
  readonly namespaced?: boolean;
  readonly categories?: readonly string[];
  readonly status?: boolean;
  readonly scale?: ScalePaths;
  readonly reviewOnly?: boolean;
  readonly deprecationWarning?: string;
  /** Further versions, whose objects are converted. */
  readonly older?: readonly Pick<ResourceVersion, 'name' | 'conversion'>[];
}

const workloadScale: ScalePaths = {
  specReplicas: ['spec', 'replicas'],
  statusReplicas: ['status', 'replicas'],
  labelSelector: ['spec', 'selector'],
};
const all = ['all'];
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' };
const admission = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false };
const authorization = { group: 'authorization.k8s.io', version: 'v1', reviewOnly: true };
const core = { group: '', version: 'v1' };
const apps = { group: 'apps', version: 'v1', categories: all, status: true };

const rows: readonly Row[] = [
  { ...core, kind: 'Namespace', plural: 'namespaces', short: ['ns'], namespaced: false, status: true },
  { ...core, kind: 'Node', plural: 'nodes', short: ['no'], namespaced: false, status: true },
  { ...core, kind: 'Pod', plural: 'pods', short: ['po'], categories: all, status: true },
  { ...core, kind: 'Service', plural: 'services', short: ['svc'], categories: all, status: true },
  { ...core, kind: 'ServiceAccount', plural: 'serviceaccounts', short: ['sa'] },
  { ...core, kind: 'ConfigMap', plural: 'configmaps', short: ['cm'] },
  { ...core, kind: 'Secret', plural: 'secrets' },
  { ...core, kind: 'Event', plural: 'events', short: ['ev'] },
  {
    ...core,
    kind: 'Endpoints',
    plural: 'endpoints',
    short: ['ep'],
    deprecationWarning: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  },
  { ...core, kind: 'LimitRange', plural: 'limitranges', short: ['limits'] },
  { ...core, kind: 'ResourceQuota', plural: 'resourcequotas', short: ['quota'], status: true },
  {
    ...core,
    kind: 'PersistentVolume',
    plural: 'persistentvolumes',
    short: ['pv'],
    namespaced: false,
    status: true,
  },
  { ...core, kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', short: ['pvc'], status: true },
  {
    ...core,
    kind: 'ReplicationController',
    plural: 'replicationcontrollers',
    short: ['rc'],
    categories: all,
    status: true,
    scale: workloadScale,
  },
  { ...apps, kind: 'Deployment', plural: 'deployments', short: ['deploy'], scale: workloadScale },
  { ...apps, kind: 'DaemonSet', plural: 'daemonsets', short: ['ds'] },
  { ...apps, kind: 'ReplicaSet', plural: 'replicasets', short: ['rs'], scale: workloadScale },
  { ...apps, kind: 'StatefulSet', plural: 'statefulsets', short: ['sts'], scale: workloadScale },
  { group: 'apps', version: 'v1', kind: 'ControllerRevision', plural: 'controllerrevisions' },
  { group: 'batch', version: 'v1', kind: 'Job', plural: 'jobs', categories: all, status: true },
  {
    group: 'batch',
    version: 'v1',
    kind: 'CronJob',
    plural: 'cronjobs',
    short: ['cj'],
    categories: all,
    status: true,
  },
  { group: 'discovery.k8s.io', version: 'v1', kind: 'EndpointSlice', plural: 'endpointslices' },
  { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases' },
  { group: 'events.k8s.io', version: 'v1', kind: 'Event', plural: 'events', short: ['ev'] },
  {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    short: ['crd', 'crds'],
    namespaced: false,
    categories: ['api-extensions'],
    status: true,
  },
  {
    ...admission,
    kind: 'MutatingWebhookConfiguration',
    plural: 'mutatingwebhookconfigurations',
    categories: ['api-extensions'],
  },
  {
    ...admission,
    kind: 'ValidatingWebhookConfiguration',
    plural: 'validatingwebhookconfigurations',
    categories: ['api-extensions'],
  },
  {
    group: 'authentication.k8s.io',
    version: 'v1',
    kind: 'TokenReview',
    plural: 'tokenreviews',
    namespaced: false,
    reviewOnly: true,
  },
  {
    group: 'authentication.k8s.io',
    version: 'v1',
    kind: 'SelfSubjectReview',
    plural: 'selfsubjectreviews',
    namespaced: false,
    reviewOnly: true,
  },
  { ...authorization, kind: 'SubjectAccessReview', plural: 'subjectaccessreviews', namespaced: false },
  {
    ...authorization,
    kind: 'SelfSubjectAccessReview',
    plural: 'selfsubjectaccessreviews',
    namespaced: false,
  },
  { ...authorization, kind: 'LocalSubjectAccessReview', plural: 'localsubjectaccessreviews' },
  { ...authorization, kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews', namespaced: false },
  { ...rbac, kind: 'Role', plural: 'roles' },
  { ...rbac, kind: 'RoleBinding', plural: 'rolebindings' },
  { ...rbac, kind: 'ClusterRole', plural: 'clusterroles', namespaced: false },
  { ...rbac, kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', namespaced: false },
  {
    group: 'autoscaling',
    version: 'v2',
    kind: 'HorizontalPodAutoscaler',
    plural: 'horizontalpodautoscalers',
    short: ['hpa'],
    categories: all,
    status: true,
    older: [{ name: 'v1', conversion: { toStored: autoscalerFromV1, fromStored: autoscalerToV1 } }],
  },
  {
    group: 'policy',
    version: 'v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    short: ['pdb'],
    status: true,
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    short: ['netpol'],
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'Ingress',
    plural: 'ingresses',
    short: ['ing'],
    status: true,
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    kind: 'IngressClass',
    plural: 'ingressclasses',
    namespaced: false,
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'StorageClass',
    plural: 'storageclasses',
    short: ['sc'],
    namespaced: false,
  },
  {
    group: 'scheduling.k8s.io',
    version: 'v1',
    kind: 'PriorityClass',
    plural: 'priorityclasses',
    short: ['pc'],
    namespaced: false,
  },
];

/** The schema of a built-in kind, if there is one. */
export type BuiltInSchemas = (group: string, version: string, kind: string) => StructuralSchema | undefined;

function versionsOf(row: Row, schemaOf: BuiltInSchemas): ResourceVersion[] {
  const stored: ResourceVersion = {
    name: row.version,
    served: true,
    schema: schemaOf(row.group, row.version, row.kind),
    status: row.status ?? false,
    scale: row.scale,
    columns: [],
    ...(row.deprecationWarning === undefined ? {} : { deprecationWarning: row.deprecationWarning }),
  };
  const older = (row.older ?? []).map((version) => ({
    ...stored,
    ...version,
    documentedSchema: schemaOf(row.group, version.name, row.kind),
  }));
  return [stored, ...older];
}

/** The resources that every API server has, or those of them that a mesh and its users meet. */
export function builtInResources(schemaOf: BuiltInSchemas): Resource[] {
  return rows.map((row) => ({
    group: row.group,
    plural: row.plural,
    singular: row.kind.toLowerCase(),
    kind: row.kind,
    listKind: `${row.kind}List`,
    namespaced: row.namespaced ?? true,
    shortNames: row.short ?? [],
    categories: row.categories ?? [],
    versions: versionsOf(row, schemaOf),
    storageVersion: row.version,
    custom: false,
    reviewOnly: row.reviewOnly ?? false,
    selectableFields: [],
  }));
}
