// Public surface of the lab's network.
export { ClusterNetwork } from './cluster-network.ts';
export type { ClusterNetworkOptions, ClusterNode } from './cluster-network.ts';
export { LabNetworkError } from './errors.ts';
export { runInNamespace } from './commands.ts';
export { NamespaceHolder } from './namespace-holder.ts';
export { connectInNamespace, listenInNamespace } from './namespace-sockets.ts';
export { ServiceProxy } from './proxy/service-proxy.ts';
export type { ProxiedNode, ServiceProxyOptions } from './proxy/service-proxy.ts';
export { labBridge } from './lab-bridge.ts';
