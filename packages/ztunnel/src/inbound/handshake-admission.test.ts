import type { HboneError } from '@ambient/hbone';
import { expect } from 'chai';
import { PausedTimers } from '../testing/paused-timers.ts';
import type { HalfOpen } from './handshake-admission.ts';
import { HandshakeAdmission } from './handshake-admission.ts';

const MAX = 3;

describe('HandshakeAdmission', () => {
  let timers: PausedTimers;
  let gate: { held: boolean; hold(): void; release(): void };
  let admission: HandshakeAdmission;
  let cut: [number, string][];

  beforeEach(() => {
    timers = new PausedTimers();
    gate = {
      held: false,
      hold() {
        this.held = true;
      },
      release() {
        this.held = false;
      },
    };
    admission = new HandshakeAdmission(timers.reactor, gate, MAX);
    cut = [];
  });
  afterEach(() => {
    admission.close();
    expect(timers.count, 'timers left').to.equal(0);
  });

  function begin(number: number): HalfOpen {
    const place = admission.begin((error: HboneError) => {
      cut.push([number, error.reason]);
      place.finish();
    });
    return place;
  }

  it('lets the rest wait in the kernel, and goes on when one has finished', () => {
    const places = [1, 2, 3].map(begin);
    expect(gate.held).to.equal(true);
    places[1]!.finish();
    expect(gate.held).to.equal(false);
    places[1]!.finish();
    expect(admission.size).to.equal(2);
  });

  it('cuts who has kept silent longest when others have waited for it', () => {
    begin(1);
    timers.advance(600);
    begin(2);
    begin(3);
    timers.advance(390);
    expect(cut).to.deep.equal([]);
    timers.advance(20);
    expect(cut).to.deep.equal([[1, 'handshakes-crowded']]);
    expect(gate.held).to.equal(false);
  });

  it('cuts nobody where there is room', () => {
    begin(1);
    begin(2);
    timers.advance(60_000);
    expect(cut).to.deep.equal([]);
    expect(gate.held).to.equal(false);
  });

  it('silent peers that come again and again are cut one after the other', () => {
    [1, 2, 3].forEach(begin);
    for (let next = 4; next < 10; next++) {
      timers.advance(1010);
      expect(gate.held).to.equal(false);
      begin(next);
    }
    expect(cut.map(([number]) => number)).to.deep.equal([1, 2, 3, 4, 5, 6]);
  });

  it('one that goes on after a while is not cut', () => {
    const places = [1, 2, 3].map(begin);
    timers.advance(900);
    places[0]!.finish();
    begin(4);
    timers.advance(110);
    expect(cut).to.deep.equal([[2, 'handshakes-crowded']]);
  });
});
