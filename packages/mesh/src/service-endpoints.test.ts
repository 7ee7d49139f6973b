import { expect } from 'chai';
import fc from 'fast-check';
import { serviceWith, workloadWith } from './defaults.ts';
import { pickEndpoint, ServiceEndpoints } from './service-endpoints.ts';
import type { LoadBalancing, RoutingScope, Workload } from './types.ts';

const here = workloadWith({
  uid: 'source',
  network: 'net',
  clusterId: 'c1',
  node: 'n1',
  locality: { region: 'r1', zone: 'z1', subzone: 's1' },
});
const ports = [{ servicePort: 80, targetPort: 8080, appProtocol: 'TCP' as const }];

function at(uid: string, fields: Partial<Workload> = {}): Workload {
  return workloadWith({ ...here, uid, addresses: ['10.0.0.1'], ...fields });
}

function entryOf(loadBalancing: LoadBalancing | undefined, ...workloads: Workload[]): ServiceEndpoints {
  const entry = new ServiceEndpoints('ns/h');
  entry.service = serviceWith({ namespace: 'ns', hostname: 'h', ports, loadBalancing });
  workloads.forEach((workload) => entry.add(workload));
  return entry;
}

const uids = (entry: ServiceEndpoints, source = here) =>
  entry.select(source, 80, 'service').workloads.map((w) => w.uid);
const prefer = (mode: LoadBalancing['mode'], ...routingPreference: RoutingScope[]): LoadBalancing => ({
  mode,
  routingPreference,
  healthPolicy: 'ONLY_HEALTHY',
});

describe('endpoint locality', () => {
  const zone2 = { region: 'r1', zone: 'z2', subzone: '' };
  const region2 = { region: 'r2', zone: 'z1', subzone: 's1' };
  const near = at('near');
  const cases: [string, LoadBalancing | undefined, Workload[], string[]][] = [
    ['no preference takes all', undefined, [near, at('far', { locality: region2 })], ['near', 'far']],
    [
      'preferences without a mode take all',
      prefer('UNSPECIFIED_MODE', 'REGION'),
      [near, at('far', { locality: region2 })],
      ['near', 'far'],
    ],
    [
      'STRICT takes only what matches every scope',
      prefer('STRICT', 'NODE'),
      [near, at('far', { node: 'n2' })],
      ['near'],
    ],
    ['STRICT without any match takes none', prefer('STRICT', 'NODE'), [at('far', { node: 'n2' })], []],
    ['STRICT needs all scopes', prefer('STRICT', 'REGION', 'ZONE'), [at('half', { locality: zone2 })], []],
    [
      'STRICT with NETWORK first has no exemption',
      prefer('STRICT', 'NETWORK', 'REGION'),
      [at('far', { network: 'other' })],
      [],
    ],
    [
      'FAILOVER takes the best rank',
      prefer('FAILOVER', 'REGION', 'ZONE'),
      [at('region', { locality: zone2 }), near, at('none', { locality: region2 })],
      ['near'],
    ],
    [
      'FAILOVER falls to the next rank',
      prefer('FAILOVER', 'REGION', 'ZONE'),
      [at('region', { locality: zone2 }), at('none', { locality: region2 })],
      ['region'],
    ],
    [
      'FAILOVER takes anything in the end',
      prefer('FAILOVER', 'REGION', 'ZONE'),
      [at('none', { locality: region2 })],
      ['none'],
    ],
    [
      'FAILOVER counts leading matches only: a zone of another region is no match',
      prefer('FAILOVER', 'REGION', 'ZONE'),
      [
        at('zone', { locality: region2 }),
        at('none', { locality: { region: 'r3', zone: 'z9', subzone: '' } }),
      ],
      ['zone', 'none'],
    ],
    [
      'FAILOVER passes over unhealthy near ones',
      prefer('FAILOVER', 'NODE'),
      [at('near', { status: 'UNHEALTHY' }), at('far', { node: 'n2' })],
      ['far'],
    ],
    [
      'FAILOVER: the own network beats a remote one of the same region',
      prefer('FAILOVER', 'NETWORK', 'REGION', 'ZONE'),
      [at('remote', { network: 'other', locality: zone2 }), at('local', { locality: region2 })],
      ['local'],
    ],
    [
      'FAILOVER: remote ones rank by region and zone after a network mismatch',
      prefer('FAILOVER', 'NETWORK', 'REGION', 'ZONE'),
      [at('far', { network: 'other', locality: region2 }), at('remote', { network: 'other' })],
      ['remote'],
    ],
    [
      'FAILOVER: a network match counts for the scopes after it',
      prefer('FAILOVER', 'NETWORK', 'REGION', 'ZONE'),
      [at('remote', { network: 'other' }), at('local', { locality: region2 })],
      ['remote', 'local'],
    ],
    [
      'FAILOVER: NETWORK not first is a scope like any other',
      prefer('FAILOVER', 'REGION', 'NETWORK'),
      [at('remote', { network: 'other' }), near],
      ['near'],
    ],
    ['CLUSTER', prefer('STRICT', 'CLUSTER'), [near, at('far', { clusterId: 'c2' })], ['near']],
    ['SUBZONE', prefer('STRICT', 'SUBZONE'), [near, at('far', { locality: zone2 })], ['near']],
  ];
  for (const [name, loadBalancing, workloads, expected] of cases) {
    it(name, () => {
      expect(uids(entryOf(loadBalancing, ...workloads))).to.deep.equal(expected);
    });
  }
});

describe('endpoint selections', () => {
  it('are kept until an endpoint or the service changes', () => {
    const entry = entryOf(undefined, at('a'));
    const first = entry.select(here, 80, 'service');
    expect(entry.select({ ...here, uid: 'neighbour' }, 80, 'service').workloads).to.equal(first.workloads);
    entry.add(at('b'));
    expect(uids(entry)).to.deep.equal(['a', 'b']);
    entry.remove(entry.workloads[0]!);
    expect(uids(entry)).to.deep.equal(['b']);
    entry.service = serviceWith({ namespace: 'ns', hostname: 'h' });
    expect(uids(entry)).to.deep.equal([]);
  });
  it('are made anew for a source elsewhere and for a waypoint lookup', () => {
    const entry = entryOf(prefer('STRICT', 'NODE'), at('a'), at('b', { node: 'n2' }));
    expect(uids(entry)).to.deep.equal(['a']);
    expect(uids(entry, { ...here, node: 'n2' })).to.deep.equal(['b']);
    const tunnelled = at('w', { applicationTunnel: { protocol: 'PROXY', port: 15088 } });
    const waypoint = entryOf(undefined, tunnelled);
    expect(waypoint.select(here, 15008, 'service').workloads).to.have.length(0);
    expect(waypoint.select(here, 15008, 'waypoint').ports).to.deep.equal([15008]);
  });
  it('count why endpoints were left out', () => {
    const entry = entryOf(
      prefer('FAILOVER', 'NODE'),
      at('a'),
      at('b', { node: 'n2' }),
      at('c', { status: 'UNHEALTHY' }),
      at('d', { addresses: [] }),
    );
    expect(entry.select(here, 80, 'service').census).to.deep.equal({
      total: 4,
      unhealthy: 1,
      unreachable: 1,
      withoutPort: 0,
      outsideLocality: 1,
    });
  });
});

describe('pickEndpoint', () => {
  it('gives every endpoint the share of its capacity', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }), (capacities) => {
        const entry = entryOf(undefined, ...capacities.map((capacity, i) => at(`${i}`, { capacity })));
        const selection = entry.select(here, 80, 'service');
        const total = capacities.reduce((sum, capacity) => sum + capacity, 0);
        const counts = capacities.map(() => 0);
        for (let draw = 0; draw < total; draw++)
          counts[pickEndpoint(selection, () => (draw + 0.5) / total)]!++;
        expect(counts).to.deep.equal(capacities);
        if (total === 0) expect(pickEndpoint(selection, () => 0)).to.equal(-1);
      }),
    );
  });
  it('never leaves the list at the edges', () => {
    const selection = entryOf(undefined, at('a'), at('b')).select(here, 80, 'service');
    expect(pickEndpoint(selection, () => 0)).to.equal(0);
    expect(pickEndpoint(selection, () => 1 - Number.EPSILON / 2)).to.equal(1);
  });
});
