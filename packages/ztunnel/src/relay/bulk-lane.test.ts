import type { TurnTask } from '@ambient/linux';
import { Reactor } from '@ambient/linux';
import { expect } from 'chai';
import type { BulkSource } from './bulk-lane.ts';
import { BulkLane } from './bulk-lane.ts';

describe('BulkLane', () => {
  let reactor: Reactor;
  beforeEach(() => {
    reactor = new Reactor((error) => {
      throw error as Error;
    });
  });
  afterEach(() => {
    reactor.close();
  });

  function source(lane: BulkLane, name: string, shares: number, log: string[], kib = 60): BulkSource {
    let left = shares;
    const each: BulkSource = {
      moveShare: () => {
        log.push(name);
        if (--left > 0) lane.add(each);
        return kib * 1024;
      },
      onFault: (error) => log.push(`${name}: ${String(error)}`),
    };
    return each;
  }

  it('lets its sources take turns, some per turn of the reactor', () => {
    const lane = new BulkLane(reactor);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) lane.add(source(lane, name, 2, log, 120));
    reactor.turn(0);
    expect(log).to.deep.equal(['a', 'b']);
    reactor.turn(0);
    expect(log).to.deep.equal(['a', 'b', 'c', 'a']);
    reactor.turn(0);
    reactor.turn(0);
    expect(log).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('moves less per turn while there is light traffic, a request for one', () => {
    const lane = new BulkLane(reactor);
    const log: string[] = [];
    const alone = lane.shareBytes;
    lane.onSent({ intervalStartMs: -Infinity, intervalBytes: 0, carriesBulk: false }, 100);
    expect(lane.shareBytes).to.be.below(alone / 2);
    for (const name of ['a', 'b', 'c']) lane.add(source(lane, name, 1, log));
    reactor.turn(0);
    expect(log).to.deep.equal(['a', 'b']);
  });

  it('moves less per turn while another pod has something to do as well', () => {
    using pod = reactor.tenant();
    using other = reactor.tenant();
    const served: string[] = [];
    const request: TurnTask = {
      run: () => served.push('other'),
      onFault: (error) => {
        throw error as Error;
      },
    };
    const lane = new BulkLane(pod);
    const log: string[] = [];
    lane.add(source(lane, 'first', 1, log));
    other.inNextTurn(request);
    for (let turns = 0; turns < 10; turns++) reactor.turn(0); // a slow moment may put the second one off
    expect(served.concat(log)).to.deep.equal(['other', 'first']);
    log.length = 0;
    for (const name of ['a', 'b', 'c']) lane.add(source(lane, name, 1, log, 64));
    reactor.turn(0);
    expect(log).to.deep.equal(['a']);
  });

  it('blames the source that throws, and goes on with the others', () => {
    const lane = new BulkLane(reactor);
    const log: string[] = [];
    const faulty: BulkSource = {
      moveShare: () => {
        throw new Error('defect');
      },
      onFault: (error) => log.push(String(error)),
    };
    lane.add(faulty);
    lane.add(source(lane, 'a', 1, log));
    for (let i = 0; i < 4; i++) reactor.turn(0);
    expect(log).to.deep.equal(['Error: defect', 'a']);
  });
});
