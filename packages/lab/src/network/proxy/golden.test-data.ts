import type { EndpointSlice, Service } from '@ambient/kube';

const meta = (name: string) => ({ name, namespace: 'shop', uid: name });

/** A Service of both families. */
export const goldenService: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('catalog'),
  spec: {
    type: 'ClusterIP',
    clusterIP: '10.96.0.20',
    clusterIPs: ['10.96.0.20', 'fd96::20'],
    ports: [{ name: 'http', port: 80, nodePort: 30_080 }],
  },
};

/** An endpoint on each of two nodes. */
export const goldenSlices: readonly EndpointSlice[] = (['IPv4', 'IPv6'] as const).map((addressType) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { ...meta(`catalog-${addressType}`), labels: { 'kubernetes.io/service-name': 'catalog' } },
  addressType,
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: [1, 2].map((node) => ({
    addresses: [addressType === 'IPv4' ? `10.244.${node}.2` : `fd44:0:0:${node}::2`],
    nodeName: `node-${node}`,
    hostname: `catalog-${node}`,
  })),
}));

/** Fields of the Service by name of the golden file. */
export const goldenSpecs = {
  'node-port': { type: 'NodePort' },
  'session-affinity': { sessionAffinity: 'ClientIP' },
  local: { type: 'NodePort', internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' },
} as const;
