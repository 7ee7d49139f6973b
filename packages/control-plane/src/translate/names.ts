// Names of the mesh's resources (facts: WDS). A proxy joins updates, removals and references by these, so they
// are formed here alone.

/** Two slashes: the group of Pod is empty. */
export function podUid(clusterId: string, namespace: string, name: string): string {
  return `${clusterId}//Pod/${namespace}/${name}`;
}

export function workloadEntryUid(clusterId: string, namespace: string, name: string): string {
  return `${clusterId}/networking.istio.io/WorkloadEntry/${namespace}/${name}`;
}

export function serviceEntryEndpointUid(
  clusterId: string,
  namespace: string,
  name: string,
  address: string,
): string {
  return `${clusterId}/networking.istio.io/ServiceEntry/${namespace}/${name}/${address}`;
}

export function endpointSliceUid(clusterId: string, namespace: string, name: string, ip: string): string {
  return `${clusterId}/discovery.k8s.io/EndpointSlice/${namespace}/${name}/${ip}`;
}

export function networkGatewayUid(network: string, address: string, port: number): string {
  return `NetworkGateway/${network}/${address}/${port}`;
}

/** What stands for all endpoints of a service on a network. */
export function splitHorizonUid(
  gateway: {
    readonly network: string;
    readonly namespace: string;
    readonly name: string;
    readonly address: string;
  },
  service: string,
): string {
  const { network, namespace, name, address } = gateway;
  return `${network}/SplitHorizonWorkload/${namespace}/${name}/${address}/${service}`;
}

/** Name of a service, and its key in the `services` map of a workload. */
export function serviceKey(namespace: string, hostname: string): string {
  return `${namespace}/${hostname}`;
}

/** The DNS name of a Kubernetes Service. */
export function serviceHostname(name: string, namespace: string, domain: string): string {
  return `${name}.${namespace}.svc.${domain}`;
}

/** The Kubernetes Service that a host name would be; undefined for names outside the cluster's domain. */
export function serviceOfHostname(
  hostname: string,
  domain: string,
): { readonly name: string; readonly namespace: string } | undefined {
  const suffix = `.svc.${domain}`;
  if (!hostname.endsWith(suffix)) return undefined;
  const parts = hostname.slice(0, -suffix.length).split('.');
  const [name, namespace] = parts;
  if (parts.length !== 2 || !name || !namespace) return undefined;
  return { name, namespace };
}
