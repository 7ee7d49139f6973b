import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { XdsStreamError } from '../errors.ts';
import { ReconnectDelay } from './reconnect.ts';

function connect(): XdsStreamError {
  return new XdsStreamError('XDS_CONNECT', 'refused', 'refused', 14);
}

function status(code: number, details = ''): XdsStreamError {
  return new XdsStreamError('XDS_STATUS', 'ended', details, code);
}

describe('ReconnectDelay', () => {
  it('doubles from 20 ms to 15 s while connects fail', () => {
    const delay = new ReconnectDelay(new ManualClock());
    const waits = Array.from({ length: 13 }, () => delay.ended(connect()).waitMs);
    expect(waits).to.deep.equal([20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 15000, 15000, 15000]);
  });

  const statuses: [string, XdsStreamError, number, string][] = [
    ['unknown', status(2), 10, 'Reconnect'],
    ['cancelled', status(1), 10, 'Reconnect'],
    ['deadline exceeded', status(4), 10, 'Reconnect'],
    ['unavailable: transport is closing', status(14, 'the transport is closing now'), 10, 'Reconnect'],
    ['unavailable: received prior goaway', status(14, 'received prior goaway: x'), 10, 'Reconnect'],
    ['unavailable for another reason', status(14, 'overloaded'), 160, 'Error'],
    ['permission denied', status(7), 160, 'Error'],
    ['unauthenticated', status(16), 160, 'Error'],
    ['internal', status(13), 160, 'Error'],
  ];
  for (const [what, error, waitMs, reason] of statuses) {
    it(`waits ${waitMs} ms after status ${what}`, () => {
      const delay = new ReconnectDelay(new ManualClock());
      for (let i = 0; i < 3; i++) delay.ended(connect());
      expect(delay.ended(error)).to.deep.equal({ waitMs, reason });
      const next = delay.ended(connect()).waitMs;
      expect(next, 'a reset delay starts over').to.equal(waitMs === 10 ? 20 : 320);
    });
  }

  it('does not wait after a clean end or an error on this side, and starts over', () => {
    for (const [error, reason] of [
      [undefined, 'Complete'],
      [new XdsStreamError('XDS_SETUP', 'no root', 'no root'), 'Error'],
    ] as const) {
      const delay = new ReconnectDelay(new ManualClock());
      for (let i = 0; i < 5; i++) delay.ended(connect());
      delay.progressed();
      expect(delay.ended(error)).to.deep.equal({ waitMs: 0, reason });
      expect(delay.ended(connect()).waitMs).to.equal(20);
    }
  });

  it('does not spin when immediate retries get nowhere', () => {
    const delay = new ReconnectDelay(new ManualClock());
    const waits = Array.from({ length: 4 }, () => delay.ended(undefined).waitMs);
    expect(waits).to.deep.equal([0, 20, 40, 80]);
    delay.progressed();
    expect(delay.ended(undefined).waitMs).to.equal(0);
  });

  it('starts over after a stream that has served for 15 s, also when it ends as one does whose server is killed', () => {
    const clock = new ManualClock();
    const delay = new ReconnectDelay(clock);
    const dropped = status(14, 'Connection dropped');
    for (let i = 0; i < 8; i++) delay.ended(connect());
    delay.progressed();
    clock.advance(14_999);
    expect(delay.ended(dropped).waitMs, 'one that served for less').to.equal(5120);
    clock.advance(60_000);
    expect(delay.ended(dropped).waitMs, 'the time between streams does not count').to.equal(10_240);
    delay.progressed();
    clock.advance(10_000);
    delay.progressed();
    clock.advance(5000);
    expect(delay.ended(dropped)).to.deep.equal({ waitMs: 20, reason: 'Error' });
    expect(delay.ended(connect()).waitMs).to.equal(40);
  });
});
