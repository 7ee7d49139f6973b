/** Why no route was found for an outbound connection. Stable: in logs, metrics and the documentation. */
export type RouteRefusal = keyof typeof routeRefusals;

/** Why a tunnel request of a peer was refused before authorization. Stable, as {@link RouteRefusal}. */
export type InboundRefusal = keyof typeof inboundRefusals;

interface RefusalEntry {
  readonly meaning: string;
  readonly remedy: string;
}

/** What each refusal means and what an operator most likely has to do. */
export const routeRefusals = {
  'self-call': {
    meaning: 'the pod called a port of its own proxy on loopback',
    remedy: 'call the application port instead; the proxy ports are not for applications',
  },
  'service-port-unknown': {
    meaning: 'the service has no such port',
    remedy: 'add the port to the Service or ServiceEntry, or correct the client',
  },
  'service-without-endpoints': {
    meaning: 'the service has no endpoints',
    remedy: 'check that the Service selector matches pods and that they run',
  },
  'no-healthy-endpoint': {
    meaning: 'no endpoint of the service is ready',
    remedy: 'check the readiness of its pods, or set publishNotReadyAddresses',
  },
  'no-endpoint-in-scope': {
    meaning: 'a strict traffic policy excludes every endpoint',
    remedy:
      'run an endpoint where the policy wants one, or relax internalTrafficPolicy or trafficDistribution',
  },
  'endpoint-port-unknown': {
    meaning: 'no endpoint tells the number behind the named target port',
    remedy: 'check that the pods declare a container port of that name',
  },
  'endpoint-unreachable': {
    meaning: 'the endpoints have neither an address nor a gateway to their network',
    remedy: 'check the WorkloadEntry addresses, or deploy an east-west gateway on the other network',
  },
  'no-endpoint-capacity': {
    meaning: 'all endpoints have the weight 0',
    remedy: 'give at least one endpoint a weight above 0',
  },
  'workload-without-address': {
    meaning: 'the chosen workload has no address that may be dialled',
    remedy: 'check the addresses of the workload and the ipFamilies of the service',
  },
  'waypoint-unknown': {
    meaning: 'the waypoint is not known here',
    remedy: 'check that the waypoint that istio.io/use-waypoint names exists and is programmed',
  },
  'waypoint-without-endpoint': {
    meaning: 'the waypoint has no endpoint that can take the connection',
    remedy: 'check that the pods of the waypoint are ready and offer its HBONE port',
  },
  'waypoint-on-other-network': {
    meaning: 'the waypoint of a workload is on another network',
    remedy: 'use a waypoint in the network of the workload, or call a service instead of the pod address',
  },
  'remote-without-service': {
    meaning: 'the destination is on another network and is not addressed by a service',
    remedy: 'call a service: traffic between networks goes to services only',
  },
  'gateway-missing': {
    meaning: 'the destination is on another network and names no gateway',
    remedy: 'deploy an east-west gateway on that network and label it with topology.istio.io/network',
  },
  'gateway-unknown': {
    meaning: 'the gateway of the other network is neither a known workload nor a known service',
    remedy: 'check the address of the east-west gateway and that the control plane sends it',
  },
  'gateway-without-endpoint': {
    meaning: 'the gateway of the other network has no endpoint that can take the connection',
    remedy: 'check that the east-west gateway is ready and offers its HBONE port',
  },
  'remote-without-identities': {
    meaning: 'the remote service lists no identities that its endpoints may present',
    remedy: 'check that the control plane fills subject_alt_names of services on other networks',
  },
} as const satisfies Record<string, RefusalEntry>;

/** As {@link routeRefusals}; `code` is the HTTP status that the peer gets. */
export const inboundRefusals = {
  'authority-invalid': {
    code: 400,
    meaning: 'the :authority is no host and port',
    remedy: 'the peer must send address:port, [address]:port or hostname:port',
  },
  'authority-address-mismatch': {
    code: 400,
    meaning: 'the :authority names another address than the connection went to',
    remedy: 'check that the pod is the waypoint of that destination, or that the peer has fresh endpoints',
  },
  'hostname-unknown': {
    code: 503,
    meaning: 'no service has the hostname of the :authority',
    remedy: 'check that the service exists in this cluster under the same hostname',
  },
  'target-port-unknown': {
    code: 503,
    meaning: 'neither the workload nor the service tells a target port for the port of the :authority',
    remedy: 'check the ports of the service on both sides of the gateway',
  },
  'proxy-port': {
    code: 503,
    meaning: 'the request leads to a port of the proxy itself',
    remedy: 'call the application port instead; the proxy ports are not for applications',
  },
  'no-vip-for-proxy-protocol': {
    code: 503,
    meaning: 'the service has no virtual IP to write into the PROXY protocol header',
    remedy: 'give the service an address; PROXY protocol cannot carry a hostname',
  },
} as const satisfies Record<string, RefusalEntry & { code: 400 | 503 }>;
