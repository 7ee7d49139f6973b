import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.authorization.v1`, in the notation of {@link ApiTypes}. */
export const authorizationTypes = new ApiTypes(
  'io.k8s.api.authorization.v1',
  `
SubjectAccessReview: metadata meta.ObjectMeta; spec! SubjectAccessReviewSpec; status SubjectAccessReviewStatus
SubjectAccessReviewSpec: extra {[string]}; groups [string] atomic;
  nonResourceAttributes NonResourceAttributes; resourceAttributes ResourceAttributes; uid string; user string
NonResourceAttributes: path string; verb string
ResourceAttributes: fieldSelector FieldSelectorAttributes; group string;
  labelSelector LabelSelectorAttributes; name string; namespace string; resource string; subresource string;
  verb string; version string
FieldSelectorAttributes: rawSelector string; requirements [meta.FieldSelectorRequirement] atomic
LabelSelectorAttributes: rawSelector string; requirements [meta.LabelSelectorRequirement] atomic
SubjectAccessReviewStatus: allowed boolean; denied boolean; evaluationError string; reason string
SelfSubjectAccessReview: metadata meta.ObjectMeta; spec! SelfSubjectAccessReviewSpec;
  status SubjectAccessReviewStatus
SelfSubjectAccessReviewSpec: nonResourceAttributes NonResourceAttributes;
  resourceAttributes ResourceAttributes
LocalSubjectAccessReview: metadata meta.ObjectMeta; spec! SubjectAccessReviewSpec;
  status SubjectAccessReviewStatus
SelfSubjectRulesReview: metadata meta.ObjectMeta; spec! SelfSubjectRulesReviewSpec;
  status SubjectRulesReviewStatus
SelfSubjectRulesReviewSpec: namespace string
SubjectRulesReviewStatus: evaluationError string; incomplete boolean;
  nonResourceRules [NonResourceRule] atomic; resourceRules [ResourceRule] atomic
NonResourceRule: nonResourceURLs [string] atomic; verbs! [string] atomic
ResourceRule: apiGroups [string] atomic; resourceNames [string] atomic; resources [string] atomic;
  verbs! [string] atomic
`,
  { meta: metaTypes },
);
