// Public surface of the lab's network.
export { AddressPlan } from './address-plan.ts';
export type { AddressPlanOptions } from './address-plan.ts';
export { ClusterNetwork } from './cluster-network.ts';
export type { ClusterNetworkOptions, ClusterNode } from './cluster-network.ts';
export { LabNetworkError } from './errors.ts';
export { runInNamespace } from './commands.ts';
export { NamespaceHolder } from './namespace-holder.ts';
export { connectInNamespace, listenInNamespace, Passage } from './namespace-sockets.ts';
export type { Destination } from './namespace-sockets.ts';
export { ServiceProxy } from './proxy/service-proxy.ts';
export type { ProxiedNode, ServiceProxyOptions } from './proxy/service-proxy.ts';
export { ClusterDns } from './dns/cluster-dns.ts';
export type { ClusterDnsOptions } from './dns/cluster-dns.ts';
export { dnsManifest } from './dns/manifest.ts';
export type { DnsManifestOptions } from './dns/manifest.ts';

export { labBridge } from './lab-bridge.ts';
