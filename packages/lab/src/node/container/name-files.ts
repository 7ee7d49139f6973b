// The files by which names are resolved in a container. Pure.
import type { NodePod } from '../../objects/pod.ts';

export interface ClusterNames {
  /** Of the cluster's DNS Service. */
  readonly dnsAddresses: readonly string[];
  /** `cluster.local` */
  readonly domain: string;
}

/** resolv.conf by the pod's dnsPolicy. @param machine the contents of the machine's own */
export function resolvConf({ metadata, spec }: NodePod, names: ClusterNames, machine: string): string {
  const { dnsPolicy = 'ClusterFirst', dnsConfig = {} } = spec;
  const isCluster =
    dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && spec.hostNetwork !== true);
  const { domain } = names;
  const namespace = metadata.namespace ?? 'default';
  const added = [
    ...(dnsConfig.nameservers ?? []).map((address) => `nameserver ${address}`),
    ...(dnsConfig.options ?? []).map(({ name = '', value }) =>
      value === undefined ? `options ${name}` : `options ${name}:${value}`,
    ),
  ];
  const searches = [
    ...(isCluster ? [`${namespace}.svc.${domain}`, `svc.${domain}`, domain] : []),
    ...(dnsConfig.searches ?? []),
  ];
  const search = searches.length === 0 ? [] : [`search ${searches.join(' ')}`];
  const lines = isCluster
    ? [
        ...search,
        ...names.dnsAddresses.map((address) => `nameserver ${address}`),
        ...added,
        'options ndots:5',
      ]
    : dnsPolicy === 'None'
      ? [...search, ...added]
      : [machine.trimEnd(), ...search, ...added];
  return `${lines.join('\n')}\n`;
}

/** The hosts file of a pod with an address of its own. */
export function hostsFile(
  { spec }: NodePod,
  podIps: readonly string[],
  hostName: string,
  domain: string,
): string {
  const full = spec.subdomain === undefined ? '' : `${hostName}.${spec.subdomain}.${domain}\t`;
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...podIps.map((ip) => `${ip}\t${full}${hostName}`),
    ...(spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`),
    '',
  ].join('\n');
}
