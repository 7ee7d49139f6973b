import type { Workload } from '@ambient/mesh';
import { MeshStore, workloadIdentity, workloadWith } from '@ambient/mesh';
import { expect } from 'chai';
import { PausedTimers } from '../testing/paused-timers.ts';
import { LocalWorkload } from './local-workload.ts';

const workload = workloadWith({
  uid: 'u',
  name: 'pod-1',
  namespace: 'a',
  serviceAccount: 'sa',
  node: 'n1',
  addresses: ['10.0.0.1'],
});

describe('LocalWorkload', () => {
  let timers: PausedTimers;
  let store: MeshStore;
  let local: LocalWorkload;
  let faults: unknown[];
  let found: (string | undefined)[];

  beforeEach(() => {
    timers = new PausedTimers();
    store = new MeshStore();
    faults = [];
    found = [];
    const name = { namespace: 'a', name: 'pod-1', serviceAccount: 'sa' };
    local = new LocalWorkload(
      timers.reactor,
      store,
      { name, node: 'n1' },
      { onFault: (error) => faults.push(error) },
    );
  });
  afterEach(() => {
    expect(timers.count, 'timers left').to.equal(0);
  });

  const find = (): void => {
    local.find((each) => found.push(each?.uid));
  };
  const tell = (change: Partial<Workload> = {}): void => {
    store.apply([{ kind: 'workload', workload: { ...workload, ...change } }]);
    local.onMeshChange();
  };

  it('waits until the mesh knows it, and then answers at once', () => {
    find();
    find();
    expect(found).to.deep.equal([]);
    tell();
    expect(found).to.deep.equal(['u', 'u']);
    find();
    expect(found).to.have.length(3);
    expect(local.current?.uid).to.equal('u');
  });

  for (const [what, change] of [
    ['another node', { node: 'n2' }],
    ['another service account', { serviceAccount: 'other' }],
    ['another name', { name: 'pod-2' }],
    ['another namespace', { namespace: 'b' }],
  ] as const)
    it(`is not one with ${what}`, () => {
      find();
      tell(change);
      expect(found).to.deep.equal([]);
      timers.advance(5010);
      expect(found).to.deep.equal([undefined]);
    });

  it('gives up after 5 s, each for himself', () => {
    find();
    timers.advance(3000);
    find();
    timers.advance(2010);
    expect(found).to.deep.equal([undefined]);
    tell();
    expect(found).to.deep.equal([undefined, 'u']);
  });

  it('is unknown again when it is removed', () => {
    tell();
    store.apply([{ kind: 'remove-address', key: 'u' }]);
    local.onMeshChange();
    expect(local.current).to.equal(undefined);
    find();
    expect(found).to.deep.equal([]);
    timers.advance(5010);
  });

  it('a connection that throws does not keep the others waiting', () => {
    local.find(() => {
      throw new Error('a defect');
    });
    find();
    tell();
    expect(found).to.deep.equal(['u']);
    expect(faults).to.have.length(1);
  });

  describe('where the node agent has said who it is', () => {
    let stoodIn: Workload[];

    beforeEach(() => {
      stoodIn = [];
      local = new LocalWorkload(
        timers.reactor,
        store,
        {
          name: { namespace: 'a', name: 'pod-1', serviceAccount: 'sa' },
          node: 'n1',
          trustDomain: 'td',
          network: 'east',
        },
        { onFault: (error) => faults.push(error), onStandIn: (each) => stoodIn.push(each) },
      );
    });
    const findSender = (): void => {
      local.findSender((each) => found.push(each === undefined ? undefined : workloadIdentity(each)));
    };

    it('sends after a second under the identity that it was given, which is said once', () => {
      findSender();
      timers.advance(990);
      expect(found).to.deep.equal([]);
      timers.advance(20);
      expect(found).to.deep.equal(['spiffe://td/ns/a/sa/sa']);
      findSender();
      expect(found, 'the next does not wait').to.have.length(2);
      expect(stoodIn.map(({ network, node }) => [network, node])).to.deep.equal([['east', 'n1']]);
    });

    it('receives nothing before the control plane has told its policies', () => {
      findSender();
      find();
      timers.advance(1010);
      expect(found).to.have.length(1);
      expect(local.current).to.equal(undefined);
      timers.advance(4000);
      expect(found[1]).to.equal(undefined);
    });

    it('is what the control plane says, as soon as it does', () => {
      findSender();
      timers.advance(1010);
      tell();
      expect(local.sender?.uid).to.equal('u');
      findSender();
      expect(found[1]).to.equal('spiffe://cluster.local/ns/a/sa/sa');
    });

    it('whoever waits when it ends is told so at once', () => {
      findSender();
      find();
      local.close();
      expect(found).to.deep.equal([undefined, undefined]);
    });
  });
});
