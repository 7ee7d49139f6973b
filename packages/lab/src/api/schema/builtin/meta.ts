import { ApiTypes } from '../api-types.ts';

/** Types of `io.k8s.apimachinery.pkg.apis.meta.v1`, in the notation of {@link ApiTypes}. */
export const metaTypes = new ApiTypes(
  'io.k8s.apimachinery.pkg.apis.meta.v1',
  `
ObjectMeta: annotations {string}; creationTimestamp Time; deletionGracePeriodSeconds int64;
  deletionTimestamp Time; finalizers [string] set; generateName string; generation int64; labels {string};
  managedFields [ManagedFieldsEntry] atomic; name string; namespace string;
  ownerReferences [OwnerReference] by uid; resourceVersion string; selfLink string; uid string
ManagedFieldsEntry: apiVersion string; fieldsType string; fieldsV1 any; manager string; operation string;
  subresource string; time Time
OwnerReference atomic: apiVersion! string; blockOwnerDeletion boolean; controller boolean; kind! string;
  name! string; uid! string
LabelSelector atomic: matchExpressions [LabelSelectorRequirement] atomic; matchLabels {string}
LabelSelectorRequirement: key! string; operator! In|NotIn|Exists|DoesNotExist; values [string] atomic
Condition: lastTransitionTime Time; message string; observedGeneration int64; reason string; status string;
  type string
Status: code int32; details StatusDetails; message string; metadata ListMeta; reason string; status string
StatusDetails: causes [StatusCause] atomic; group string; kind string; name string; retryAfterSeconds int32;
  uid string
StatusCause: field string; message string; reason string
ListMeta: continue string; remainingItemCount int64; resourceVersion string; selfLink string;
  shardInfo ShardInfo
ShardInfo: selector! string
DeleteOptions: apiVersion string; dryRun [string] atomic; gracePeriodSeconds int64;
  ignoreStoreReadErrorWithClusterBreakingPotential boolean; kind string; orphanDependents boolean;
  preconditions Preconditions; propagationPolicy string
Preconditions: resourceVersion string; uid string
FieldSelectorRequirement: key! string; operator! string; values [string] atomic
`,
);
