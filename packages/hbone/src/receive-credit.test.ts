import { expect } from 'chai';
import type { Http2Connection } from '@ambient/http';
import { ReceiveCredit } from './receive-credit.ts';

describe('ReceiveCredit', () => {
  function credit(maxHeldBytes: number): { credit: ReceiveCredit<unknown>; released: number[] } {
    const released: number[] = [];
    const http2 = {
      releaseConnectionWindow: (bytes: number) => released.push(bytes),
      setConnectionWindow: () => undefined,
    } as unknown as Http2Connection<unknown>;
    return { credit: new ReceiveCredit(http2, 1000, maxHeldBytes, 0), released };
  }

  it('gives back what has come at once while little is held', () => {
    const { credit: each, released } = credit(100);
    each.onReceived(undefined, 60, 1);
    each.onReceived(undefined, 40, 1);
    expect(released).to.deep.equal([60, 40]);
  });

  it('gives back beyond the limit only what has been handed on', () => {
    const { credit: each, released } = credit(100);
    each.onReceived(undefined, 80, 1);
    each.onReceived(undefined, 50, 1);
    each.onReceived(undefined, 10, 1);
    expect(released).to.deep.equal([80]);
    each.onHandedOn(30);
    expect(released).to.deep.equal([80]);
    each.onHandedOn(20);
    expect(released).to.deep.equal([80, 60]);
  });
});
