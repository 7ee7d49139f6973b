import { expect } from 'chai';
import { noRouting, planSpoofedRouting, readSpoofedRouting } from './spoofed-routing.ts';

const rule = '{"priority":32764,"src":"all","fwmark":"0x111","fwmask":"0xfff","table":"100"}';
const route = '{"type":"local","dst":"default","dev":"lo","table":"100","scope":"host","flags":[]}';
const both = { rules: 1, route: true };

describe('routing of replies to spoofed connections', () => {
  it('is read from what ip(8) prints', () => {
    expect(readSpoofedRouting(`[{"priority":0,"table":"local"},${rule}]`, `[${route}]`)).to.deep.equal(both);
    expect(readSpoofedRouting('', '')).to.deep.equal(noRouting);
    expect(
      readSpoofedRouting(`[${rule.replace('32764', '5')}]`, `[${route.replace('100', 'local')}]`),
    ).to.deep.equal(noRouting);
  });

  it('is set, repaired and removed by the lines that this takes, and no others', () => {
    expect(planSpoofedRouting(noRouting, both, 'v4')).to.deep.equal([
      'rule add fwmark 0x111/0xfff pref 32764 lookup 100',
      'route add local 0.0.0.0/0 dev lo table 100',
    ]);
    expect(planSpoofedRouting(both, both, 'v4')).to.deep.equal([]);
    expect(planSpoofedRouting({ rules: 2, route: false }, both, 'v6')).to.deep.equal([
      'rule del fwmark 0x111/0xfff pref 32764 lookup 100',
      'route add local ::/0 dev lo table 100',
    ]);
    expect(planSpoofedRouting(both, noRouting, 'v4')).to.deep.equal([
      'rule del fwmark 0x111/0xfff pref 32764 lookup 100',
      'route del local 0.0.0.0/0 dev lo table 100',
    ]);
  });
});
