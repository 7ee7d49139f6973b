import { expect } from 'chai';
import { columnsOf, Style } from '../style.ts';
import { gatherEvents } from './state.ts';
import type { LiveState } from './state.ts';
import { formatAge, renderLive } from './table.ts';

const pod = (name: string) => ({
  name,
  identity: `spiffe://cluster.local/ns/shop/sa/${name.slice(5)}`,
  inbound: 0,
  outbound: 3,
  node: 'node-1',
  inMesh: true,
});

function stateOf(connections: number): LiveState {
  return {
    upMs: 61_000,
    pods: [pod('shop/checkout'), pod('shop/catalog')],
    policies: [
      { kind: 'AuthorizationPolicy', name: 'shop/only-checkout', says: 'ALLOW', ageMs: 4000 },
      { kind: 'PeerAuthentication', name: 'shop/strict', says: 'STRICT', ageMs: 9000 },
    ],
    rows: Array.from({ length: connections }, (_, index) => ({
      key: String(index),
      from: `shop/checkout:${40_000 + index}`,
      to: 'shop/catalog:9000',
      identity: 'spiffe://cluster.local/ns/shop/sa/checkout',
      protocol: 'HBONE',
      ageMs: 5000,
      bytesSent: 1_200_000,
      bytesReceived: 800,
      bytesPerSecond: 2000,
    })),
    events: Array.from({ length: 9 }, (_, index) => ({
      time: `04:00:0${index}`,
      from: 'guest/intruder',
      to: 'shop/catalog:9000',
      outcome: 'refused: policy-denied',
      times: 1,
    })),
  };
}

describe('the live table', () => {
  for (const [columns, rows] of [
    [200, 60],
    [100, 30],
    [80, 24],
    [40, 12],
    [12, 4],
  ] as const)
    it(`fits a screen of ${columns} x ${rows}, with any number of connections`, () => {
      for (const connections of [0, 1, 5, 200])
        for (const style of [new Style(false), new Style(true)]) {
          const lines = renderLive(stateOf(connections), style, { columns, rows });
          expect(lines.length).to.be.at.most(rows);
          for (const line of lines) expect(columnsOf(line), line).to.be.at.most(columns);
        }
    });

  it('shows everything where there is room, and names what it leaves out', () => {
    const wide = renderLive(stateOf(3), new Style(false), { columns: 130, rows: 40 }).join('\n');
    expect(wide).to.contain('3 connections').and.to.contain('shop/checkout:40002').and.to.contain('1.2 MB');
    expect(wide).to.contain('cluster.local/ns/shop/sa/checkout').and.to.contain('node-1');
    const full = renderLive(stateOf(200), new Style(false), { columns: 130, rows: 30 }).join('\n');
    expect(full).to.match(/… and 1\d\d more/);
  });

  it('shows every policy, and what it says', () => {
    const text = renderLive(stateOf(1), new Style(false), { columns: 100, rows: 40 }).join('\n');
    expect(text)
      .to.contain('2 policies')
      .and.to.match(/shop\/strict +PeerAuthentication +STRICT +0:09/);
  });

  it('shows the latest of what has ended', () => {
    const text = renderLive(stateOf(1), new Style(false), { columns: 100, rows: 40 }).join('\n');
    expect(text).to.contain('04:00:08').and.not.to.contain('04:00:00');
  });

  it('gathers what happened again, at its last time', () => {
    const event = (time: string, outcome: string) => ({ time, from: 'a', to: 'b', outcome, times: 1 });
    const gathered = gatherEvents([
      event('04:00:03', 'refused'),
      event('04:00:01', 'refused'),
      event('04:00:02', 'applied: DENY'),
    ]);
    expect(gathered.map(({ time, outcome, times }) => [time, outcome, times])).to.deep.equal([
      ['04:00:02', 'applied: DENY', 1],
      ['04:00:03', 'refused', 2],
    ]);
  });

  it('tells ages as clocks do', () => {
    expect([0, 59_999, 60_000, 3_661_000].map(formatAge)).to.deep.equal(['0:00', '0:59', '1:00', '1:01:01']);
  });
});
