import { defineSettings, optional, text } from '@ambient/runtime';
import { ipAddress } from './value-types.ts';

export const placeSettings = defineSettings('Place in the mesh', {
  network: {
    env: 'NETWORK',
    type: text,
    default: '',
    doc: 'Network of this node, in a mesh of several.',
  },
  nodeName: {
    env: 'NODE_NAME',
    type: text,
    default: '',
    doc: 'Node of this process: workloads on it are local.',
  },
  clusterId: {
    env: ['ISTIO_META_CLUSTER_ID', 'CLUSTER_ID'],
    type: text,
    default: 'Kubernetes',
    doc: 'Cluster of this node.',
  },
  clusterDomain: {
    env: 'CLUSTER_DOMAIN',
    type: text,
    default: 'cluster.local',
    doc: 'DNS domain of the cluster.',
  },
  trustDomain: {
    env: 'TRUST_DOMAIN',
    type: text,
    default: 'cluster.local',
    doc: "Trust domain of this process's own identity.",
  },
  podName: { env: 'POD_NAME', type: text, default: '', doc: 'Own pod.' },
  podNamespace: { env: 'POD_NAMESPACE', type: text, default: '', doc: 'Namespace of the own pod.' },
  serviceAccount: {
    env: 'SERVICE_ACCOUNT',
    type: text,
    default: '',
    doc: 'Service account of the own pod. With `POD_NAME` and `POD_NAMESPACE` set, shared mode serves HBONE for its own pod too.',
  },
  instanceIp: {
    env: 'INSTANCE_IP',
    type: optional(ipAddress),
    default: undefined,
    doc: 'IP of the own pod, told to the control plane.',
  },
  preferredServiceNamespace: {
    env: 'PREFERED_SERVICE_NAMESPACE',
    type: text,
    default: '',
    doc: "Namespace whose services win after those of the client's own, where several have the same name.",
  },
});
