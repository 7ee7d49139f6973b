// The lab's stand-in for a kubelet and its container runtime.
export { Kubelet } from './kubelet.ts';
export type { KubeletOptions } from './kubelet.ts';
export type { ClusterFacts } from './pod/pod-host.ts';
export type { ContainerDirectory, RunningContainer } from './containers.ts';
