import { expect } from 'chai';

import { samplePolicy, sampleService, sampleWorkload } from './convert/samples.test-data.ts';
import { dumpPolicy, dumpService, dumpWorkload } from './dump.ts';

describe('the config dump', () => {
  it('shows a workload under the keys that istioctl reads', () => {
    expect(dumpWorkload(sampleWorkload)).to.deep.equal({
      workloadIps: ['10.0.0.1', 'fd00::1'],
      waypoint: { destination: 'shop/wp.shop.svc.cluster.local', hboneMtlsPort: 15008 },
      networkGateway: { destination: 'net-b/192.0.2.9', hboneMtlsPort: 15009 },
      protocol: 'HBONE',
      networkMode: 'HostNetwork',
      uid: 'east//Pod/shop/cart-1',
      name: 'cart-1',
      namespace: 'shop',
      trustDomain: 'example.org',
      serviceAccount: 'cart',
      network: 'net-a',
      workloadName: 'cart-job',
      workloadType: 'job',
      canonicalName: 'cart',
      canonicalRevision: 'v2',
      hostname: 'cart-1.example',
      node: 'node-1',
      nativeTunnel: true,
      applicationTunnel: { protocol: 'PROXY', port: 15088 },
      authorizationPolicies: ['shop/deny-far'],
      status: 'Unhealthy',
      clusterId: 'east',
      locality: { region: 'r', zone: 'z', subzone: 's' },
      services: ['shop/cart.shop.svc.cluster.local', 'shop/idle.shop.svc.cluster.local'],
      capacity: 7,
    });
  });

  it('leaves out of a workload what ztunnel leaves out', () => {
    const dumped = dumpWorkload({
      ...sampleWorkload,
      waypoint: undefined,
      networkGateway: undefined,
      network: '',
      node: '',
      nativeTunnel: false,
      applicationTunnel: { protocol: 'NONE', port: 0 },
      authorizationPolicies: [],
      locality: { region: '', zone: '', subzone: '' },
      services: {},
    });
    expect(dumped).to.not.have.any.keys(
      ...[
        'waypoint',
        'networkGateway',
        'network',
        'node',
        'nativeTunnel',
        'authorizationPolicies',
        'locality',
      ],
    );
    expect(dumped).to.have.deep.property('applicationTunnel', { protocol: 'NONE', port: null });
  });

  it('shows a service with its endpoints', () => {
    const stranger = { ...sampleWorkload, uid: 'stranger', services: {} };
    expect(dumpService(sampleService, [sampleWorkload, stranger])).to.deep.equal({
      name: 'cart',
      namespace: 'shop',
      hostname: 'cart.shop.svc.cluster.local',
      vips: ['net-a/10.96.0.1', '/fd00::96'],
      cidrVips: ['net-a/10.97.0.0/16'],
      ports: { '80': 8080, '90': 0 },
      endpoints: {
        'east//Pod/shop/cart-1': {
          workloadUid: 'east//Pod/shop/cart-1',
          port: { '80': 8080 },
          status: 'Unhealthy',
        },
      },
      subjectAltNames: ['spiffe://example.org/ns/shop/sa/cart'],
      waypoint: { destination: 'net-a/10.96.0.2', hboneMtlsPort: 15008 },
      weightedWaypoints: [{ destination: { destination: 'shop/wp2', hboneMtlsPort: 15008 }, weight: 3 }],
      loadBalancer: {
        routingPreferences: ['Network', 'Region', 'Zone', 'Subzone', 'Node', 'Cluster'],
        mode: 'Failover',
        healthPolicy: 'AllowAll',
      },
      ipFamilies: 'Dual',
      canonical: true,
      visibility: 'Namespace',
    });
  });

  it('shows a policy as lists of lists of matches', () => {
    expect(dumpPolicy(samplePolicy)).to.deep.equal({
      name: 'deny-far',
      namespace: 'shop',
      scope: 'WorkloadSelector',
      action: 'Deny',
      dryRun: true,
      rules: [
        [
          [],
          [
            {
              namespaces: [{ Exact: 'far' }],
              notNamespaces: [{ Prefix: 'near' }],
              serviceAccounts: [{ namespace: 'far', serviceAccount: 'away' }],
              notServiceAccounts: [{ namespace: 'near', serviceAccount: 'by' }],
              principals: [{ Suffix: '/sa/away' }],
              notPrincipals: [{ Presence: [] }],
              sourceIps: ['10.0.0.0/8'],
              notSourceIps: ['fd00::/16'],
              destinationIps: ['10.1.0.0/16'],
              notDestinationIps: ['10.1.1.1/32'],
              destinationPorts: [80, 443],
              notDestinationPorts: [0],
            },
            {},
          ],
        ],
      ],
    });
  });
});
