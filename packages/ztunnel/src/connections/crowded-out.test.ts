import { expect } from 'chai';
import { ProxyError } from './failure.ts';
import { CrowdedOut } from './crowded-out.ts';

const peer = { ip: '10.0.0.1', port: 40_000 };
const error = new ProxyError('pod-sockets-used-up', 'full');

describe('connections that find no socket', () => {
  it('are told of ten times a second, and the rest by their number', () => {
    const told: string[] = [];
    const clock = { nowMs: 0 };
    const context = {
      reactor: clock,
      connections: { refused: (direction: string) => told.push(direction) },
      log: {
        log: (_level: string, _text: string, { count }: { count: number }) => told.push(`${count} more`),
      },
    };
    const crowded = new CrowdedOut(context as never, 'outbound');
    for (let i = 0; i < 1000; i++) crowded.refused(peer, undefined, error);
    expect(told).to.deep.equal(Array<string>(10).fill('outbound'));
    told.length = 0;
    clock.nowMs = 1000;
    crowded.refused(peer, undefined, error);
    expect(told).to.deep.equal(['990 more', 'outbound']);
  });
});
