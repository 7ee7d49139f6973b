/** A config dump as a ztunnel of node `one` writes it, shortened to what is shown. */
export const dump = JSON.stringify({
  workloads: [
    {
      uid: 'c//Pod/shop/checkout',
      name: 'checkout-6d4f',
      namespace: 'shop',
      workloadIps: ['10.244.1.7', 'fd44::1:7'],
      node: 'one',
      protocol: 'HBONE',
      status: 'Healthy',
      waypoint: { destination: 'shop/gate.shop.svc.cluster.local', hboneMtlsPort: 15008 },
    },
    {
      uid: 'c//Pod/shop/catalog',
      name: 'catalog-77c9',
      namespace: 'shop',
      workloadIps: ['10.244.2.3'],
      node: 'two',
      protocol: 'HBONE',
      status: 'Healthy',
    },
    {
      uid: 'c//Pod/guest/old',
      name: 'old',
      namespace: 'guest',
      workloadIps: ['10.244.2.9'],
      node: 'two',
      protocol: 'TCP',
      status: 'Unhealthy',
      waypoint: { destination: '/10.96.0.99', hboneMtlsPort: 15008 },
    },
    { uid: 'c/outside', name: 'outside', namespace: 'guest', hostname: 'api.example', protocol: 'TCP' },
  ],
  services: [
    {
      name: 'gate',
      namespace: 'shop',
      hostname: 'gate.shop.svc.cluster.local',
      vips: ['/10.96.0.30'],
      endpoints: {},
    },
    {
      name: 'catalog',
      namespace: 'shop',
      hostname: 'catalog.shop.svc.cluster.local',
      vips: ['/10.96.0.20', '/fd96::20'],
      waypoint: { destination: 'shop/gate.shop.svc.cluster.local', hboneMtlsPort: 15008 },
      endpoints: {
        'c//Pod/shop/catalog': { workloadUid: 'c//Pod/shop/catalog' },
        'c//Pod/guest/old': { workloadUid: 'c//Pod/guest/old' },
      },
    },
  ],
  policies: [
    { name: 'strict', namespace: 'shop', scope: 'Namespace', action: 'Deny', rules: [] },
    { name: 'only-checkout', namespace: 'shop', scope: 'WorkloadSelector', action: 'Allow', rules: [] },
  ],
  certificates: [
    {
      identity: 'spiffe://cluster.local/ns/shop/sa/checkout',
      state: 'Available',
      certChain: [
        { serialNumber: '255', validFrom: '2026-01-01T00:00:00Z', expirationTime: '2026-01-02T00:00:00Z' },
        { serialNumber: '4096', validFrom: '2025-01-01T00:00:00Z', expirationTime: '2026-01-01T06:00:00Z' },
      ],
      rootCerts: [
        { serialNumber: '1', validFrom: '2020-01-01T00:00:00Z', expirationTime: '2030-01-01T00:00:00Z' },
      ],
    },
    { identity: 'spiffe://cluster.local/ns/guest/sa/default', state: 'Initializing', certChain: [] },
    {
      identity: 'spiffe://cluster.local/ns/guest/sa/late',
      state: { Unavailable: 'CA is away' },
      certChain: [],
    },
  ],
  workloadState: {
    'uid-1': {
      state: 'Up',
      connections: {
        inbound: [
          {
            src: '10.244.2.3:41000',
            originalDst: 'checkout.shop.svc.cluster.local',
            actualDst: '10.244.1.7:8080',
            protocol: 'HBONE',
          },
        ],
        outbound: [
          {
            src: '10.244.1.7:52000',
            originalDst: '10.96.0.20:80',
            actualDst: '10.244.2.3:15008',
            protocol: 'HBONE',
          },
          {
            src: '10.244.1.7:52001',
            originalDst: '[fd96::20]:80',
            actualDst: '192.0.2.1:443',
            protocol: 'TCP',
          },
        ],
      },
      info: { name: 'checkout-6d4f', namespace: 'shop', serviceAccount: 'checkout' },
    },
    'uid-2': {
      state: 'Pending',
      connections: { inbound: [], outbound: [] },
      info: { name: 'idle', namespace: 'guest', serviceAccount: 'default' },
    },
  },
});
