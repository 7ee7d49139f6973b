import { expect } from 'chai';
import { noRouting, planSpoofedRouting, routingText } from './spoofed-routing.ts';

const both = { rules: 1, route: true };

describe('routing of replies to spoofed connections', () => {
  const plan = (...of: Parameters<typeof planSpoofedRouting>): string[] =>
    planSpoofedRouting(...of).map(({ verb, what }) => `${verb} ${what}`);

  it('is set, repaired and removed by the steps that this takes, and no others', () => {
    expect(plan(noRouting, both)).to.deep.equal(['add rule', 'add route']);
    expect(plan(both, both)).to.deep.equal([]);
    expect(plan({ rules: 2, route: false }, both)).to.deep.equal(['del rule', 'add route']);
    expect(plan(both, noRouting)).to.deep.equal(['del rule', 'del route']);
  });

  it('is told as ip(8) spells it', () => {
    expect(routingText({ verb: 'add', what: 'rule' }, 'v4')).to.equal(
      'ip -4 rule fwmark 0x111/0xfff pref 32764 lookup 100',
    );
    expect(routingText({ verb: 'add', what: 'route' }, 'v6')).to.equal(
      'ip -6 route local ::/0 dev lo table 100',
    );
  });
});
