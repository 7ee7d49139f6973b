import type { Policy, Service, Workload } from '@ambient/mesh';

/** A workload with a value other than the default in every field. */
export const sampleWorkload: Workload = {
  uid: 'east//Pod/shop/cart-1',
  name: 'cart-1',
  namespace: 'shop',
  addresses: ['10.0.0.1', 'fd00::1'],
  hostname: 'cart-1.example',
  network: 'net-a',
  tunnelProtocol: 'HBONE',
  trustDomain: 'example.org',
  serviceAccount: 'cart',
  waypoint: {
    destination: { kind: 'hostname', namespace: 'shop', hostname: 'wp.shop.svc.cluster.local' },
    hboneMtlsPort: 15008,
  },
  networkGateway: {
    destination: { kind: 'address', address: { network: 'net-b', ip: '192.0.2.9' } },
    hboneMtlsPort: 15009,
  },
  node: 'node-1',
  canonicalName: 'cart',
  canonicalRevision: 'v2',
  workloadType: 'JOB',
  workloadName: 'cart-job',
  nativeTunnel: true,
  applicationTunnel: { protocol: 'PROXY', port: 15088 },
  services: {
    'shop/cart.shop.svc.cluster.local': [{ servicePort: 80, targetPort: 8080, appProtocol: 'HTTP2' }],
    'shop/idle.shop.svc.cluster.local': [],
  },
  authorizationPolicies: ['shop/deny-far'],
  status: 'UNHEALTHY',
  clusterId: 'east',
  locality: { region: 'r', zone: 'z', subzone: 's' },
  networkMode: 'HOST_NETWORK',
  capacity: 7,
};

/** A service with a value other than the default in every field. */
export const sampleService: Service = {
  name: 'cart',
  namespace: 'shop',
  hostname: 'cart.shop.svc.cluster.local',
  addresses: [
    { network: 'net-a', ip: '10.96.0.1' },
    { network: '', ip: 'fd00::96' },
  ],
  cidrAddresses: [{ network: 'net-a', ip: '10.97.0.0', length: 16 }],
  ports: [
    { servicePort: 80, targetPort: 8080, appProtocol: 'GRPC' },
    { servicePort: 90, targetPort: 0, appProtocol: 'UNKNOWN' },
  ],
  subjectAltNames: ['spiffe://example.org/ns/shop/sa/cart'],
  waypoint: {
    destination: { kind: 'address', address: { network: 'net-a', ip: '10.96.0.2' } },
    hboneMtlsPort: 15008,
  },
  weightedWaypoints: [
    {
      destination: {
        destination: { kind: 'hostname', namespace: 'shop', hostname: 'wp2' },
        hboneMtlsPort: 15008,
      },
      weight: 3,
    },
  ],
  loadBalancing: {
    mode: 'FAILOVER',
    routingPreference: ['NETWORK', 'REGION', 'ZONE', 'SUBZONE', 'NODE', 'CLUSTER'],
    healthPolicy: 'ALLOW_ALL',
  },
  ipFamilies: 'DUAL',
  canonical: true,
  visibility: 'NAMESPACE',
};

/** A policy with a value in every field of its one match, and an empty match and clause beside it. */
export const samplePolicy: Policy = {
  name: 'deny-far',
  namespace: 'shop',
  scope: 'WORKLOAD_SELECTOR',
  action: 'DENY',
  dryRun: true,
  rules: [
    {
      clauses: [
        { matches: [] },
        {
          matches: [
            {
              namespaces: [{ kind: 'exact', value: 'far' }],
              notNamespaces: [{ kind: 'prefix', value: 'near' }],
              serviceAccounts: [{ namespace: 'far', serviceAccount: 'away' }],
              notServiceAccounts: [{ namespace: 'near', serviceAccount: 'by' }],
              principals: [{ kind: 'suffix', value: '/sa/away' }],
              notPrincipals: [{ kind: 'presence', value: '' }],
              sourceIps: [{ ip: '10.0.0.0', length: 8 }],
              notSourceIps: [{ ip: 'fd00::', length: 16 }],
              destinationIps: [{ ip: '10.1.0.0', length: 16 }],
              notDestinationIps: [{ ip: '10.1.1.1', length: 32 }],
              destinationPorts: [80, 443],
              notDestinationPorts: [0],
            },
            {
              namespaces: [],
              notNamespaces: [],
              serviceAccounts: [],
              notServiceAccounts: [],
              principals: [],
              notPrincipals: [],
              sourceIps: [],
              notSourceIps: [],
              destinationIps: [],
              notDestinationIps: [],
              destinationPorts: [],
              notDestinationPorts: [],
            },
          ],
        },
      ],
    },
  ],
};
