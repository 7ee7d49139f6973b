import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.rbac.v1`, in the notation of {@link ApiTypes}. */
export const rbacTypes = new ApiTypes(
  'io.k8s.api.rbac.v1',
  `
Role: metadata meta.ObjectMeta; rules [PolicyRule] atomic
PolicyRule: apiGroups [string] atomic; nonResourceURLs [string] atomic; resourceNames [string] atomic;
  resources [string] atomic; verbs! [string] atomic
RoleBinding: metadata meta.ObjectMeta; roleRef! RoleRef; subjects [Subject] atomic
RoleRef atomic: apiGroup string; kind! string; name! string
Subject atomic: apiGroup string; kind! string; name! string; namespace string
ClusterRole: aggregationRule AggregationRule; metadata meta.ObjectMeta; rules [PolicyRule] atomic
AggregationRule: clusterRoleSelectors [meta.LabelSelector] atomic
ClusterRoleBinding: metadata meta.ObjectMeta; roleRef! RoleRef; subjects [Subject] atomic
`,
  { meta: metaTypes },
);
