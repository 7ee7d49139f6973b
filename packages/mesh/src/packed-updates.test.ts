import fc from 'fast-check';
import { expect } from 'chai';
import { policyWith, serviceWith, workloadWith } from './defaults.ts';
import { UpdatePacker, UpdateUnpacker } from './packed-updates.ts';
import { MeshStore } from './store.ts';
import { plainWorkload } from './stored-workload.ts';
import type { MeshUpdate, Workload } from './types.ts';

/** What a replica makes of updates after their way between threads. */
function replicate(batches: readonly (readonly MeshUpdate[])[], packer = new UpdatePacker()) {
  const [source, replica] = [new MeshStore(), new MeshStore({ shared: true })];
  const unpacker = new UpdateUnpacker();
  for (const updates of batches) {
    source.apply(updates);
    const packed = structuredClone(packer.pack(updates, (uid) => source.workload(uid)));
    replica.apply(unpacker.unpack(packed));
  }
  return { source, replica };
}

const plain = (store: MeshStore): Workload[] => [...store.allWorkloads()].map(plainWorkload);

const update = (workload: Parameters<typeof workloadWith>[0]): MeshUpdate => ({
  kind: 'workload',
  workload: workloadWith(workload),
});

describe('packed updates', () => {
  it('carry every field of a workload', () => {
    const whole: Workload = {
      uid: 'uid',
      name: 'name',
      namespace: 'namespace',
      addresses: ['10.0.0.1', '2001:db8::1'],
      hostname: 'hostname',
      network: 'network',
      tunnelProtocol: 'HBONE',
      trustDomain: 'trust-domain',
      serviceAccount: 'service-account',
      waypoint: {
        destination: { kind: 'hostname', namespace: 'a', hostname: 'waypoint.a' },
        hboneMtlsPort: 15_008,
      },
      networkGateway: {
        destination: { kind: 'address', address: { network: 'other', ip: '192.0.2.1' } },
        hboneMtlsPort: 15_009,
      },
      node: 'node',
      canonicalName: 'canonical-name',
      canonicalRevision: 'canonical-revision',
      workloadType: 'CRONJOB',
      workloadName: 'workload-name',
      nativeTunnel: true,
      applicationTunnel: { protocol: 'PROXY', port: 8080 },
      services: { 'a/web.a': [{ servicePort: 80, targetPort: 8080, appProtocol: 'HTTP11' }] },
      authorizationPolicies: ['a/deny'],
      status: 'UNHEALTHY',
      clusterId: 'cluster',
      locality: { region: 'region', zone: 'zone', subzone: 'subzone' },
      networkMode: 'HOST_NETWORK',
      capacity: 7,
    };
    const { replica } = replicate([[{ kind: 'workload', workload: whole }]]);
    expect(plainWorkload(replica.workload('uid')!)).deep.equal(whole);
  });

  it('name what repeats by number, over messages too, and make it one object', () => {
    const locality = { region: 'r', zone: 'z', subzone: '' };
    const { replica } = replicate([
      [update({ uid: 'a', locality: { ...locality } }), update({ uid: 'b', locality: { ...locality } })],
      [update({ uid: 'c', locality: { ...locality } })],
    ]);
    expect(replica.workload('c')!.locality).equal(replica.workload('a')!.locality).deep.equal(locality);
    const packer = new UpdatePacker();
    const store = new MeshStore();
    const pack = (uid: string) => {
      const updates = [update({ uid })];
      store.apply(updates);
      return packer.pack(updates, (name) => store.workload(name));
    };
    expect(pack('a')).include({ fresh: true }).property('terms').not.empty;
    expect(pack('b')).include({ fresh: false }).property('terms').empty;
  });

  it('carry services, policies and removals in their order', () => {
    const { source, replica } = replicate([
      [
        { kind: 'policy', key: 'a/p', policy: policyWith({ namespace: 'a', name: 'p' }) },
        { kind: 'service', service: serviceWith({ namespace: 'a', hostname: 'web.a' }) },
        update({ uid: 'gone' }),
        update({ uid: 'back' }),
        { kind: 'remove-address', key: 'gone' },
        { kind: 'remove-address', key: 'back' },
        update({ uid: 'back', name: 'again' }),
      ],
      [{ kind: 'remove-policy', key: 'a/p' }],
    ]);
    expect(plain(replica)).deep.equal(plain(source)).length(1);
    expect(replica.service('a/web.a')).not.equal(undefined);
    expect(replica.policy('a/p')).equal(undefined);
  });

  it('do not grow for ever by names that come and go', () => {
    const packer = new UpdatePacker();
    const store = new MeshStore();
    let starts = 0;
    for (let n = 0; n < 40_000; n += 100) {
      const updates = Array.from({ length: 100 }, (_, i) => update({ uid: 'one', node: `node-${n + i}` }));
      for (const each of updates) {
        store.apply([each]);
        if (packer.pack([each], (uid) => store.workload(uid)).fresh) starts++;
      }
    }
    expect(starts).equal(2);
  });

  it('make any replica equal to its source', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd');
    const any: fc.Arbitrary<MeshUpdate> = fc.oneof(
      fc
        .record({
          uid: names.map((name) => `cluster//Pod/a/${name}`),
          name: names,
          addresses: fc.array(names, { maxLength: 2 }),
          node: names,
          namespace: names,
          hostname: names,
          workloadName: names,
          canonicalName: names,
        })
        .map((fields) => update(fields)),
      names.map((name): MeshUpdate => ({ kind: 'remove-address', key: `cluster//Pod/a/${name}` })),
    );
    fc.assert(
      fc.property(fc.array(fc.array(any, { maxLength: 8 }), { maxLength: 8 }), (batches) => {
        const { source, replica } = replicate(batches);
        expect(plain(replica)).deep.equal(plain(source));
      }),
    );
  });
});
