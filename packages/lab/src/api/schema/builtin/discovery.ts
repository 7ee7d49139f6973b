import { ApiTypes } from '../api-types.ts';
import { coreTypes } from './core.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.discovery.v1`, in the notation of {@link ApiTypes}. */
export const discoveryTypes = new ApiTypes(
  'io.k8s.api.discovery.v1',
  `
EndpointSlice: addressType! IPv4|IPv6|FQDN; endpoints [Endpoint] atomic; metadata meta.ObjectMeta;
  ports [EndpointPort] atomic
Endpoint: addresses! [string] set replace; conditions EndpointConditions; deprecatedTopology {string};
  hints EndpointHints; hostname string; nodeName string; targetRef core.ObjectReference; zone string
EndpointConditions: ready boolean; serving boolean; terminating boolean
EndpointHints: forNodes [ForNode] atomic; forZones [ForZone] atomic
ForNode: name! string
ForZone: name! string
EndpointPort atomic: appProtocol string; name string; port int32; protocol TCP|UDP|SCTP = "TCP"
`,
  { core: coreTypes, meta: metaTypes },
);
