import { formatSpiffe } from '@ambient/identity/peer';
import type { Identity } from '@ambient/identity/peer';
import { MeshStore, workloadWith } from '@ambient/mesh';
import type { MeshUpdate, Workload } from '@ambient/mesh';
import { expect } from 'chai';
import { LocalIdentities } from './local-identities.ts';
import type { LocalScope } from './local-identities.ts';

function setup(scope: Partial<LocalScope> = {}) {
  const calls: string[] = [];
  const name = (identity: Identity): string => formatSpiffe(identity).slice('spiffe://cluster.local/'.length);
  const identities = new LocalIdentities(
    {
      prefetch: (list) => calls.push(`+ ${[...list].map(name).join(' ')}`),
      drop: (identity) => calls.push(`- ${name(identity)}`),
    },
    { nodeName: 'n1', only: undefined, ...scope },
  );
  const store = new MeshStore();
  const apply = (...updates: MeshUpdate[]): string[] => {
    identities.update(store, store.apply(updates).workloads);
    return calls.splice(0);
  };
  const told = (tell: () => void): string[] => {
    tell();
    return calls.splice(0);
  };
  return { apply, identities, told };
}

function pod(name: string, fields: Partial<Workload> = {}): MeshUpdate {
  const workload = workloadWith({
    uid: name,
    name,
    namespace: 'a',
    serviceAccount: 'app',
    node: 'n1',
    tunnelProtocol: 'HBONE',
    ...fields,
  });
  return { kind: 'workload', workload };
}

describe('LocalIdentities', () => {
  it('holds an identity from its first workload to its last', () => {
    const { apply } = setup();
    expect(apply(pod('p1'), pod('p2'))).deep.equal(['+ ns/a/sa/app']);
    expect(apply(pod('p3'))).deep.equal([]);
    expect(apply({ kind: 'remove-address', key: 'p1' }, { kind: 'remove-address', key: 'p3' })).deep.equal(
      [],
    );
    expect(apply({ kind: 'remove-address', key: 'p2' })).deep.equal(['- ns/a/sa/app']);
  });

  it('holds the identity of a pod that is served, whatever the mesh knows of it', () => {
    const { apply, identities, told } = setup();
    const identity = { trustDomain: 'cluster.local', namespace: 'a', serviceAccount: 'app' };
    expect(told(() => identities.hold(1, identity))).deep.equal(['+ ns/a/sa/app']);
    expect(told(() => identities.hold(2, identity))).deep.equal([]);
    expect(apply(pod('p1'), { kind: 'remove-address', key: 'p1' })).deep.equal([]);
    expect(told(() => identities.release(1))).deep.equal([]);
    expect(told(() => identities.release(7))).deep.equal([]);
    expect(told(() => identities.release(2))).deep.equal(['- ns/a/sa/app']);
  });

  it('takes meshed workloads of this node only', () => {
    const { apply } = setup();
    expect(apply(pod('other', { node: 'n2' }), pod('plain', { tunnelProtocol: 'NONE' }))).deep.equal([]);
    expect(
      apply(pod('native', { tunnelProtocol: 'NONE', nativeTunnel: true, serviceAccount: 'native' })),
    ).deep.equal(['+ ns/a/sa/native']);
  });

  it('follows a workload that changes, also when a pod takes over the identity of another', () => {
    const { apply } = setup();
    apply(pod('p1'));
    expect(apply(pod('p1', { serviceAccount: 'new' }))).deep.equal(['- ns/a/sa/app', '+ ns/a/sa/new']);
    expect(apply({ kind: 'remove-address', key: 'p1' }, pod('p2', { serviceAccount: 'new' }))).deep.equal([]);
    expect(apply(pod('p2', { serviceAccount: 'new', node: 'n2' }))).deep.equal(['- ns/a/sa/new']);
  });

  it('in dedicated mode serves the one workload, meshed or not', () => {
    const { apply } = setup({ only: { namespace: 'a', name: 'p1', serviceAccount: 'app' } });
    expect(apply(pod('p2', { serviceAccount: 'other' }), pod('p1', { tunnelProtocol: 'NONE' }))).deep.equal([
      '+ ns/a/sa/app',
    ]);
  });
});
