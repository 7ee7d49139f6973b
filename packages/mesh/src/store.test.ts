import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { matchWith, policyWith, serviceWith, workloadWith } from './defaults.ts';
import { Cidr } from './ip.ts';
import { MeshStore } from './store.ts';
import { plainWorkload } from './stored-workload.ts';
import type { MeshUpdate, Policy, Service, Workload } from './types.ts';

const put = (workload: Workload): MeshUpdate => ({ kind: 'workload', workload });
const putService = (service: Service): MeshUpdate => ({ kind: 'service', service });
const putPolicy = (policy: Policy): MeshUpdate => ({
  kind: 'policy',
  key: `${policy.namespace}/${policy.name}`,
  policy,
});
const remove = (key: string): MeshUpdate => ({ kind: 'remove-address', key });
const vip = (ip: string, network = '') => ({ ip, network });

describe('MeshStore workloads', () => {
  it('are found by uid, by address and by hostname, until they are removed', () => {
    const store = new MeshStore();
    store.apply([
      put(
        workloadWith({
          uid: 'a',
          namespace: 'ns',
          addresses: ['10.0.0.1', 'fd00::1'],
          hostname: 'a.example',
        }),
      ),
    ]);
    expect(store.workload('a')?.namespace).to.equal('ns');
    expect(store.workloadByAddress('', '10.0.0.1')?.uid).to.equal('a');
    expect(store.workloadByAddress('', 'fd00::1')?.uid).to.equal('a');
    expect(store.findHostname('ns', 'a.example')).to.deep.include({ kind: 'workload' });
    expect(store.findHostname('other', 'a.example')).to.equal(undefined);
    const change = store.apply([remove('a')]);
    expect(change.workloads).to.deep.equal(['a']);
    expect(store.workload('a')).to.equal(undefined);
    expect(store.workloadByAddress('', '10.0.0.1')).to.equal(undefined);
    expect(store.findHostname('ns', 'a.example')).to.equal(undefined);
  });

  it('are found by address in their own network only', () => {
    const store = new MeshStore();
    store.apply([put(workloadWith({ uid: 'a', network: 'west', addresses: ['10.0.0.1'] }))]);
    expect(store.workloadByAddress('', '10.0.0.1')).to.equal(undefined);
    expect(store.workloadByAddress('west', '10.0.0.1')?.uid).to.equal('a');
  });

  it('leave their old address when it changes', () => {
    const store = new MeshStore();
    store.apply([put(workloadWith({ uid: 'a', addresses: ['10.0.0.1'] }))]);
    store.apply([put(workloadWith({ uid: 'a', addresses: ['10.0.0.2'] }))]);
    expect(store.workloadByAddress('', '10.0.0.1')).to.equal(undefined);
    expect(store.workloadByAddress('', '10.0.0.2')?.uid).to.equal('a');
    expect(store.workloadCount).to.equal(1);
  });

  it('of the host network are never found by address, yet are endpoints', () => {
    const store = new MeshStore();
    store.apply([
      putService(serviceWith({ namespace: 'ns', hostname: 'h' })),
      put(
        workloadWith({
          uid: 'a',
          addresses: ['10.0.0.1'],
          networkMode: 'HOST_NETWORK',
          services: { 'ns/h': [] },
        }),
      ),
    ]);
    expect(store.workloadByAddress('', '10.0.0.1')).to.equal(undefined);
    expect(store.service('ns/h')?.has('a')).to.equal(true);
  });

  const claims: [string, Partial<Workload>[], number][] = [
    [
      'a pod beats a WorkloadEntry',
      [{ uid: 'c/networking.istio.io/WorkloadEntry/ns/x' }, { uid: 'c//Pod/ns/x' }],
      1,
    ],
    [
      'a pod without HBONE beats a ServiceEntry with it',
      [{ uid: 'c/networking.istio.io/ServiceEntry/ns/x/1', tunnelProtocol: 'HBONE' }, { uid: 'c//Pod/ns/x' }],
      1,
    ],
    [
      'of two pods, the one with HBONE',
      [{ uid: 'c//Pod/ns/x' }, { uid: 'c//Pod/ns/y', tunnelProtocol: 'HBONE' }],
      1,
    ],
    ['of equals, the first', [{ uid: 'c//Pod/ns/x' }, { uid: 'c//Pod/ns/y' }], 0],
  ];
  for (const [name, claimants, winner] of claims) {
    it(`that claim one address: ${name}; the loser takes over when the winner goes`, () => {
      const store = new MeshStore();
      const workloads = claimants.map((fields) =>
        workloadWith({ uid: '', addresses: ['10.0.0.1'], ...fields }),
      );
      store.apply(workloads.map(put));
      expect(store.workloadByAddress('', '10.0.0.1')?.uid).to.equal(workloads[winner]!.uid);
      store.apply([remove(workloads[winner]!.uid)]);
      expect(store.workloadByAddress('', '10.0.0.1')?.uid).to.equal(workloads[1 - winner]!.uid);
      store.apply([remove(workloads[1 - winner]!.uid)]);
      expect(store.workloadByAddress('', '10.0.0.1')).to.equal(undefined);
    });
  }

  it('that name an address twice vanish from it', () => {
    const store = new MeshStore();
    store.apply([put(workloadWith({ uid: 'a', addresses: ['10.0.0.1', '10.0.0.1'] })), remove('a')]);
    expect(store.workloadByAddress('', '10.0.0.1')).to.equal(undefined);
  });

  it('of the own node are found by namespace, name and service account, before and after the first question', () => {
    const store = new MeshStore();
    const pod = { name: 'p', namespace: 'ns', serviceAccount: 'sa' };
    store.apply([
      put(workloadWith({ uid: '1', ...pod, node: 'n1' })),
      put(workloadWith({ uid: '2', ...pod, namespace: 'other', node: 'n1' })),
      put(workloadWith({ uid: '3', ...pod, node: 'n2' })),
    ]);
    expect(store.localWorkload(pod, 'n1')?.uid).to.equal('1');
    expect(store.localWorkload({ ...pod, serviceAccount: 'x' }, 'n1')).to.equal(undefined);
    expect(store.localWorkload(pod, 'n3')).to.equal(undefined);
    store.apply([remove('1'), put(workloadWith({ uid: '4', ...pod, node: 'n3' }))]);
    expect(store.localWorkload(pod, 'n1')).to.equal(undefined);
    expect(store.localWorkload(pod, 'n3')?.uid).to.equal('4');
  });

  it('equal the given ones, field by field, although shared', () => {
    const store = new MeshStore();
    const given = workloadWith({
      uid: 'a',
      services: { 'ns/h': [{ servicePort: 80, targetPort: 8080, appProtocol: 'TCP' }] },
    });
    const copy = structuredClone({ ...given, uid: 'b' });
    store.apply([put(given), put(copy)]);
    expect(plainWorkload(store.workload('a')!)).to.deep.equal(given);
    expect(plainWorkload(store.workload('b')!)).to.deep.equal(copy);
    expect(store.workload('a')!.family).to.equal(store.workload('b')!.family);
  });
});

describe('MeshStore services', () => {
  const service = serviceWith({ namespace: 'ns', hostname: 'h', addresses: [vip('10.1.0.1')] });
  const endpoint = workloadWith({ uid: 'a', services: { 'ns/h': [] } });

  it('gather endpoints that came first', () => {
    const store = new MeshStore();
    store.apply([put(endpoint)]);
    expect(store.service('ns/h')).to.equal(undefined);
    expect([...store.stagedServices()].map((staged) => staged.key)).to.deep.equal(['ns/h']);
    store.apply([putService(service)]);
    expect(
      store.serviceByAddress('', '10.1.0.1', 'x')?.workloads.map((workload) => workload.uid),
    ).to.deep.equal(['a']);
    expect([...store.stagedServices()]).to.have.length(0);
  });

  it('gather endpoints that come later, and lose those that go or no longer name it', () => {
    const store = new MeshStore();
    store.apply([putService(service), put(endpoint), put({ ...endpoint, uid: 'b' })]);
    expect(store.service('ns/h')!.has('b')).to.equal(true);
    store.apply([remove('a'), put({ ...endpoint, uid: 'b', services: {} })]);
    expect(store.service('ns/h')!.workloads).to.have.length(0);
  });

  it('that come back find their endpoints again', () => {
    const store = new MeshStore();
    store.apply([putService(service), put(endpoint)]);
    expect(store.apply([remove('ns/h')]).services).to.deep.equal(['ns/h']);
    expect(store.service('ns/h')).to.equal(undefined);
    expect(store.serviceByAddress('', '10.1.0.1', 'x')).to.equal(undefined);
    expect(store.serviceByHostname('h', 'x')).to.equal(undefined);
    store.apply([putService(service)]);
    expect(store.service('ns/h')!.has('a')).to.equal(true);
  });

  it('are removed by the key namespace/hostname, also of a hostname with slashes', () => {
    const store = new MeshStore();
    store.apply([putService({ ...service, hostname: 'h/with/slash' })]);
    store.apply([remove('ns/h/with/slash')]);
    expect([...store.allServices()]).to.have.length(0);
  });

  it('leave a uid that is removed alone, and an unknown key is no error', () => {
    const store = new MeshStore();
    store.apply([putService(service), put({ ...endpoint, uid: 'ns/h' })]);
    expect(store.apply([remove('ns/h')])).to.deep.include({ workloads: ['ns/h'], services: [] });
    expect(store.service('ns/h')).to.not.equal(undefined);
    expect(store.apply([remove('gone')])).to.deep.equal({
      workloads: [],
      services: [],
      policies: [],
      policiesChanged: false,
    });
  });

  it('leave an address that they no longer have', () => {
    const store = new MeshStore();
    store.apply([putService(service), putService({ ...service, addresses: [vip('10.1.0.2')] })]);
    expect(store.serviceByAddress('', '10.1.0.1', 'x')).to.equal(undefined);
    expect(store.serviceByAddress('', '10.1.0.2', 'x')?.key).to.equal('ns/h');
  });

  it('come after a workload of the same address', () => {
    const store = new MeshStore();
    store.apply([putService(service), put(workloadWith({ uid: 'w', addresses: ['10.1.0.1'] }))]);
    expect(store.findAddress('', '10.1.0.1', 'x')).to.deep.include({ kind: 'workload' });
    store.apply([remove('w')]);
    expect(store.findAddress('', '10.1.0.1', 'x')).to.deep.include({ kind: 'service' });
  });
});

describe('MeshStore services that share a VIP or hostname', () => {
  const at = (namespace: string, fields: Partial<Service> = {}): Service =>
    serviceWith({ namespace, hostname: 'shared', addresses: [vip('10.1.0.1')], ...fields });
  const cases: [string, Service[], string, string | undefined][] = [
    ["the client's namespace beats canonical", [at('a', { canonical: true }), at('b')], 'b', 'b'],
    ['canonical beats the first', [at('a'), at('b', { canonical: true })], 'x', 'b'],
    ['else the first', [at('a'), at('b')], 'x', 'a'],
    [
      'an invisible one does not count',
      [at('a', { visibility: 'NAMESPACE', canonical: true }), at('b')],
      'x',
      'b',
    ],
    ['an invisible one is visible at home', [at('b'), at('a', { visibility: 'NAMESPACE' })], 'a', 'a'],
    ['none visible, none found', [at('a', { visibility: 'NAMESPACE' })], 'x', undefined],
  ];
  for (const [name, services, client, winner] of cases) {
    it(name, () => {
      const store = new MeshStore();
      store.apply(services.map(putService));
      expect(store.serviceByAddress('', '10.1.0.1', client)?.service.namespace).to.equal(winner);
      expect(store.serviceByHostname('shared', client)?.service.namespace).to.equal(winner);
    });
  }

  it('the preferred namespace beats the first, not canonical', () => {
    const store = new MeshStore();
    store.apply([at('a'), at('b')].map(putService));
    expect(store.serviceByHostname('shared', 'x', 'b')?.service.namespace).to.equal('b');
    store.apply([putService(at('c', { canonical: true }))]);
    expect(store.serviceByHostname('shared', 'x', 'b')?.service.namespace).to.equal('c');
  });

  it('the first stays the first when it is sent again', () => {
    const store = new MeshStore();
    store.apply([at('a'), at('b'), at('a', { subjectAltNames: ['x'] })].map(putService));
    expect(store.serviceByAddress('', '10.1.0.1', 'x')?.service.namespace).to.equal('a');
    expect(store.serviceByHostname('shared', 'x')?.service.namespace).to.equal('a');
  });
});

describe('MeshStore services by DNS name', () => {
  const wildcard = serviceWith({ namespace: 'a', hostname: '*.example.com' });
  const own = serviceWith({ namespace: 'b', hostname: 'own.example.com', visibility: 'NAMESPACE' });

  it('are the one of that hostname, else the nearest wildcard that the client may see', () => {
    const store = new MeshStore();
    store.apply([putService(wildcard), putService(own)]);
    expect(store.serviceByDnsName('own.example.com', 'b')?.service).to.equal(own);
    expect(store.serviceByDnsName('own.example.com', 'x')?.service).to.equal(wildcard);
    expect(store.serviceByDnsName('a.b.example.com', 'x')?.service).to.equal(wildcard);
    expect(store.serviceByDnsName('example.com', 'x')).to.equal(undefined);
    const nearer = serviceWith({ namespace: 'c', hostname: '*.b.example.com', visibility: 'NAMESPACE' });
    store.apply([putService(nearer)]);
    expect(store.serviceByDnsName('a.b.example.com', 'c')?.service).to.equal(nearer);
    expect(store.serviceByDnsName('a.b.example.com', 'x')?.service).to.equal(wildcard);
  });

  it('go with the service, and stay when it is sent again', () => {
    const store = new MeshStore();
    store.apply([putService(wildcard), putService({ ...wildcard, addresses: [vip('240.240.0.1')] })]);
    expect(store.serviceByDnsName('x.example.com', 'x')?.service.addresses).to.have.length(1);
    store.apply([remove('a/*.example.com')]);
    expect(store.serviceByDnsName('x.example.com', 'x')).to.equal(undefined);
  });
});

describe('MeshStore CIDR services', () => {
  const range = (ip: string, length: number, network = '') => ({ ip, length, network });

  it('yield to an exact VIP', () => {
    const store = new MeshStore();
    store.apply([
      putService(serviceWith({ namespace: 'x', hostname: 'cidr', cidrAddresses: [range('10.1.0.1', 32)] })),
      putService(serviceWith({ namespace: 'y', hostname: 'exact', addresses: [vip('10.1.0.1')] })),
    ]);
    expect(store.serviceByAddress('', '10.1.0.1', 'x')?.key).to.equal('y/exact');
  });

  it('are found in their own network only, and vanish with the service', () => {
    const store = new MeshStore();
    store.apply([
      putService(
        serviceWith({ namespace: 'x', hostname: 'c', cidrAddresses: [range('10.0.0.0', 8, 'west')] }),
      ),
    ]);
    expect(store.serviceByAddress('', '10.1.1.1', 'x')).to.equal(undefined);
    expect(store.serviceByAddress('west', '10.1.1.1', 'x')?.key).to.equal('x/c');
    store.apply([remove('x/c')]);
    expect(store.serviceByAddress('west', '10.1.1.1', 'x')).to.equal(undefined);
  });

  it('are ranked by own namespace, then longest prefix, then canonical, then arrival, as brute force does [fuzz]', () => {
    const candidate = fc.record({
      namespace: fc.constantFrom('a', 'b', 'c'),
      length: fc.integer({ min: 0, max: 32 }),
      ip: fc.constantFrom('10.0.0.0', '10.0.128.0', '10.0.0.77', '192.168.0.0'),
      canonical: fc.boolean(),
      visibility: fc.constantFrom('PUBLIC' as const, 'NAMESPACE' as const),
    });
    fc.assert(
      fc.property(
        fc.array(candidate, { maxLength: 12 }),
        fc.constantFrom('10.0.0.77', '10.0.200.1', '8.8.8.8'),
        (list, ip) => {
          const store = new MeshStore();
          const services = list.map(({ ip: net, length, ...fields }, i) =>
            serviceWith({ ...fields, hostname: `h${i}`, cidrAddresses: [range(net, length)] }),
          );
          store.apply(services.map(putService));
          const reference = services
            .filter((service) => service.visibility === 'PUBLIC' || service.namespace === 'a')
            .filter(({ cidrAddresses: [net] }) => Cidr.from(net!.ip, net!.length)!.containsText(ip))
            .sort(
              (one, two) =>
                Number(two.namespace === 'a') - Number(one.namespace === 'a') ||
                two.cidrAddresses[0]!.length - one.cidrAddresses[0]!.length ||
                Number(two.canonical) - Number(one.canonical),
            )[0];
          expect(store.serviceByAddress('', ip, 'a')?.service.hostname).to.equal(reference?.hostname);
        },
      ),
      fuzzBudget(),
    );
  });
});

describe('MeshStore policies', () => {
  const policy = policyWith({
    namespace: 'ns',
    name: 'p',
    rules: [{ clauses: [{ matches: [matchWith({ destinationPorts: [80] })] }] }],
  });

  it('are found by key, namespace and globally', () => {
    const store = new MeshStore();
    store.apply([
      putPolicy(policy),
      putPolicy(policyWith({ namespace: 'root', name: 'g', scope: 'GLOBAL' })),
      putPolicy(policyWith({ namespace: 'ns', name: 'w', scope: 'WORKLOAD_SELECTOR' })),
    ]);
    expect(store.policies.inNamespace('ns').map((p) => p.key)).to.deep.equal(['ns/p']);
    expect(store.policies.global.map((p) => p.key)).to.deep.equal(['root/g']);
    expect(store.policy('ns/w')?.policy.scope).to.equal('WORKLOAD_SELECTOR');
    store.apply(['ns/p', 'root/g', 'ns/w'].map((key): MeshUpdate => ({ kind: 'remove-policy', key })));
    expect([
      ...store.policies.inNamespace('ns'),
      ...store.policies.global,
      ...store.allPolicies(),
    ]).to.have.length(0);
  });

  it('say that something changed when a rule did, and nothing when a push repeats it', () => {
    const store = new MeshStore();
    expect(store.apply([putPolicy(policy)])).to.deep.include({ policies: ['ns/p'], policiesChanged: true });
    expect(store.apply([putPolicy(structuredClone(policy))])).to.deep.include({
      policies: [],
      policiesChanged: false,
    });
    expect(store.apply([putPolicy({ ...policy, action: 'DENY' })]).policiesChanged).to.equal(true);
    expect(store.apply([{ kind: 'remove-policy', key: 'ns/other' }]).policiesChanged).to.equal(false);
  });

  it('are to be asked again when a workload names others, and not when it is sent again as it was', () => {
    const store = new MeshStore();
    const naming = (...authorizationPolicies: string[]): boolean =>
      store.apply([put(workloadWith({ uid: 'a', authorizationPolicies }))]).policiesChanged;
    expect([naming(), naming('root/strict'), naming('root/strict')]).to.deep.equal([false, true, false]);
    expect([naming('root/other'), naming()]).to.deep.equal([true, true]);
    store.apply([remove('a')]);
    expect([naming(), naming('root/strict')]).to.deep.equal([false, true]);
    store.apply([remove('a')]);
    expect(
      naming('root/strict'),
      'back, with a policy that its connections have not been asked about',
    ).to.equal(true);
  });

  it('move when their scope changes', () => {
    const store = new MeshStore();
    store.apply([putPolicy(policy), putPolicy({ ...policy, scope: 'GLOBAL' })]);
    expect(store.policies.inNamespace('ns')).to.have.length(0);
    expect(store.policies.global).to.have.length(1);
  });
});

describe('MeshStore indexes', () => {
  it('equal those of a store that never saw what is gone [fuzz]', () => {
    const step = fc.record({
      uid: fc.constantFrom('c//Pod/ns/1', 'c//Pod/ns/2', 'c/x/3'),
      ip: fc.constantFrom('10.0.0.1', '10.0.0.2'),
      host: fc.constantFrom('h1', 'h2'),
      what: fc.constantFrom('put', 'remove', 'service', 'remove-service'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const store = new MeshStore();
        const workloads = new Map<string, Workload>();
        const services = new Map<string, Service>();
        for (const { uid, ip, host, what } of steps) {
          const key = `ns/${host}`;
          if (what === 'put') {
            const workload = workloadWith({ uid, addresses: [ip], services: { [key]: [] } });
            workloads.set(uid, workload);
            store.apply([put(workload)]);
          } else if (what === 'service') {
            const service = serviceWith({ namespace: 'ns', hostname: host, addresses: [vip(ip)] });
            services.set(key, service);
            store.apply([putService(service)]);
          } else {
            (what === 'remove' ? workloads : services).delete(what === 'remove' ? uid : key);
            store.apply([remove(what === 'remove' ? uid : key)]);
          }
        }
        expect([...store.allWorkloads()].map((w) => w.uid).sort()).to.deep.equal(
          [...workloads.keys()].sort(),
        );
        for (const key of ['ns/h1', 'ns/h2']) {
          expect(store.service(key)?.service).to.deep.equal(services.get(key));
          const endpoints = [...workloads.values()].filter((w) => key in w.services).map((w) => w.uid);
          const found = store.service(key) ?? [...store.stagedServices()].find((entry) => entry.key === key);
          expect((found?.workloads ?? []).map((w) => w.uid).sort()).to.deep.equal(endpoints.sort());
        }
        for (const ip of ['10.0.0.1', '10.0.0.2']) {
          const owners = [...workloads.values()].filter((w) => w.addresses.includes(ip)).map((w) => w.uid);
          const owner = store.workloadByAddress('', ip)?.uid;
          expect(owner === undefined ? owners.length === 0 : owners.includes(owner)).to.equal(true);
          const vips = [...services.values()].filter((s) => s.addresses[0]!.ip === ip).map((s) => s.hostname);
          const found = store.serviceByAddress('', ip, 'x')?.service.hostname;
          expect(found === undefined ? vips.length === 0 : vips.includes(found)).to.equal(true);
        }
      }),
      fuzzBudget(),
    );
  });
});
