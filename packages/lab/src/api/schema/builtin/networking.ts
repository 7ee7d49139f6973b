import { ApiTypes } from '../api-types.ts';
import { coreTypes } from './core.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.networking.v1`, in the notation of {@link ApiTypes}. */
export const networkingTypes = new ApiTypes(
  'io.k8s.api.networking.v1',
  `
NetworkPolicy: metadata meta.ObjectMeta; spec NetworkPolicySpec
NetworkPolicySpec: egress [NetworkPolicyEgressRule] atomic; ingress [NetworkPolicyIngressRule] atomic;
  podSelector meta.LabelSelector; policyTypes [Ingress|Egress] atomic
NetworkPolicyEgressRule: ports [NetworkPolicyPort] atomic; to [NetworkPolicyPeer] atomic
NetworkPolicyPort: endPort int32; port IntOrString; protocol TCP|UDP|SCTP = "TCP"
NetworkPolicyPeer: ipBlock IPBlock; namespaceSelector meta.LabelSelector; podSelector meta.LabelSelector
IPBlock: cidr! string; except [string] atomic
NetworkPolicyIngressRule: from [NetworkPolicyPeer] atomic; ports [NetworkPolicyPort] atomic
Ingress: metadata meta.ObjectMeta; spec IngressSpec; status IngressStatus
IngressSpec: defaultBackend IngressBackend; ingressClassName string; rules [IngressRule] atomic;
  tls [IngressTLS] atomic
IngressBackend: resource core.TypedLocalObjectReference; service IngressServiceBackend
IngressServiceBackend: name! string; port ServiceBackendPort
ServiceBackendPort atomic: name string; number int32
IngressRule: host string; http HTTPIngressRuleValue
HTTPIngressRuleValue: paths! [HTTPIngressPath] atomic
HTTPIngressPath: backend! IngressBackend; path string; pathType! Exact|Prefix|ImplementationSpecific
IngressTLS: hosts [string] atomic; secretName string
IngressStatus: loadBalancer IngressLoadBalancerStatus
IngressLoadBalancerStatus: ingress [IngressLoadBalancerIngress] atomic
IngressLoadBalancerIngress: hostname string; ip string; ports [IngressPortStatus] atomic
IngressPortStatus: error string; port int32; protocol string
IngressClass: metadata meta.ObjectMeta; spec IngressClassSpec
IngressClassSpec: controller string; parameters IngressClassParametersReference
IngressClassParametersReference: apiGroup string; kind! string; name! string; namespace string; scope string
`,
  { core: coreTypes, meta: metaTypes },
);
