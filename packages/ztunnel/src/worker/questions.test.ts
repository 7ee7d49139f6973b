import { MeshStore, workloadWith } from '@ambient/mesh';
import { expect } from 'chai';
import { PausedTimers } from '../testing/paused-timers.ts';
import type { FromWorker } from './messages.ts';
import { Questions } from './questions.ts';

const there = { ip: '10.0.0.9', port: 80 };
const demand: FromWorker = { kind: 'demand', key: 'net/10.0.0.9' };

describe('Questions', () => {
  let timers: PausedTimers;
  let store: MeshStore;
  let posted: FromWorker[];
  let faults: unknown[];
  let went: string[];

  beforeEach(() => {
    timers = new PausedTimers();
    store = new MeshStore();
    posted = [];
    faults = [];
    went = [];
  });
  afterEach(() => {
    expect(timers.count, 'timers left').to.equal(0);
  });

  function questions(onDemand: boolean): Questions {
    const post = (message: FromWorker): void => void posted.push(message);
    return new Questions(timers.reactor, store, post, 'net', onDemand, (error) => faults.push(error));
  }

  describe('on-demand discovery', () => {
    it('is not asked where discovery is complete', () => {
      questions(false).demand(there, () => went.push('a'));
      expect(went).to.deep.equal(['a']);
      expect(posted).to.deep.equal([]);
    });

    it('is not asked about what is known', () => {
      const workload = workloadWith({ uid: 'w', addresses: ['10.0.0.9'], network: 'net' });
      store.apply([{ kind: 'workload', workload }]);
      questions(true).demand(there, () => went.push('a'));
      expect(went).to.deep.equal(['a']);
      expect(posted).to.deep.equal([]);
    });

    it('is asked once for all who wait', () => {
      const asks = questions(true);
      asks.demand(there, () => went.push('a'));
      asks.demand(there, () => went.push('b'));
      expect(posted).to.deep.equal([demand]);
      expect(went).to.deep.equal([]);
      asks.onDemanded('net/10.0.0.9');
      expect(went).to.deep.equal(['a', 'b']);
      asks.onDemanded('net/10.0.0.9'); // once more does nothing
      expect(went).to.have.length(2);
    });

    it('lets a connection go on after 5 s, and the next one ask anew', () => {
      const asks = questions(true);
      asks.demand(there, () => went.push('a'));
      timers.advance(4990);
      asks.demand(there, () => went.push('b'));
      expect(went).to.deep.equal([]);
      timers.advance(20);
      expect(went).to.deep.equal(['a']);
      timers.advance(5000);
      expect(went).to.deep.equal(['a', 'b']);
      asks.demand(there, () => went.push('c'));
      expect(posted).to.deep.equal([demand, demand]);
      asks.onDemanded('net/10.0.0.9');
      expect(went).to.deep.equal(['a', 'b', 'c']);
    });

    it('a connection that throws does not keep the others waiting', () => {
      const asks = questions(true);
      asks.demand(there, () => {
        throw new Error('a defect');
      });
      asks.demand(there, () => went.push('b'));
      asks.onDemanded('net/10.0.0.9');
      expect(went).to.deep.equal(['b']);
      expect(faults).to.have.length(1);
    });
  });

  describe('hostnames', () => {
    it('are each answered to the one who asked', () => {
      const asks = questions(false);
      asks.resolve('one', (addresses) => went.push(`one ${addresses.join()}`));
      asks.resolve('two', (addresses, error) => went.push(`two ${addresses.join()} ${error}`));
      expect(posted).to.deep.equal([
        { kind: 'resolve', id: 1, hostname: 'one' },
        { kind: 'resolve', id: 2, hostname: 'two' },
      ]);
      asks.onResolved(2, [], 'NXDOMAIN');
      asks.onResolved(1, ['10.0.0.1', 'fd00::1'], undefined);
      asks.onResolved(1, ['10.0.0.1'], undefined);
      asks.onResolved(77, [], undefined);
      expect(went).to.deep.equal(['two  NXDOMAIN', 'one 10.0.0.1,fd00::1']);
    });

    it('a connection that throws ends nothing else', () => {
      const asks = questions(false);
      asks.resolve('one', () => {
        throw new Error('a defect');
      });
      asks.onResolved(1, [], undefined);
      expect(faults).to.have.length(1);
    });
  });
});
