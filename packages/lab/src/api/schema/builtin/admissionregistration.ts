import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.admissionregistration.v1`, in the notation of {@link ApiTypes}. */
export const admissionregistrationTypes = new ApiTypes(
  'io.k8s.api.admissionregistration.v1',
  `
ValidatingWebhookConfiguration: metadata meta.ObjectMeta; webhooks [ValidatingWebhook] by name unique
ValidatingWebhook: admissionReviewVersions! [string] atomic; clientConfig! WebhookClientConfig;
  failurePolicy Ignore|Fail = "Fail"; matchConditions [MatchCondition] by name;
  matchPolicy Exact|Equivalent = "Equivalent"; name! string; namespaceSelector meta.LabelSelector = {};
  objectSelector meta.LabelSelector = {}; rules [RuleWithOperations] atomic; sideEffects! None|NoneOnDryRun;
  timeoutSeconds int32 = 10
WebhookClientConfig: caBundle bytes; service ServiceReference; url string
ServiceReference: name! string; namespace! string; path string; port int32 = 443
MatchCondition: expression string; name string
RuleWithOperations: apiGroups [string] atomic; apiVersions [string] atomic; operations [string] atomic;
  resources [string] atomic; scope *|Cluster|Namespaced = "*"
MutatingWebhookConfiguration: metadata meta.ObjectMeta; webhooks [MutatingWebhook] by name unique
MutatingWebhook: admissionReviewVersions! [string] atomic; clientConfig! WebhookClientConfig;
  failurePolicy Ignore|Fail = "Fail"; matchConditions [MatchCondition] by name;
  matchPolicy Exact|Equivalent = "Equivalent"; name! string; namespaceSelector meta.LabelSelector = {};
  objectSelector meta.LabelSelector = {}; reinvocationPolicy Never|IfNeeded = "Never";
  rules [RuleWithOperations] atomic; sideEffects! None|NoneOnDryRun; timeoutSeconds int32 = 10
`,
  { meta: metaTypes },
);
