import { expect } from 'chai';
import { renderRedirect } from './redirect.ts';

describe('capture rules', () => {
  it('keep the proxy, tunnels and the namespace itself out of capture, before any redirect', () => {
    const rules = renderRedirect({ outbound: [{ toPort: 15_001 }], proxyUids: [1337] });
    const redirect = rules.indexOf('redirect to :15001');
    for (const exemption of [
      'meta mark & 0xfff == 0x539 accept',
      'meta skuid { 1337 } accept',
      'tcp dport { 15008 } accept',
      'oifname "lo" accept',
    ])
      expect(rules.indexOf(exemption), exemption).to.be.within(0, redirect);
  });

  it('limit outbound capture by family, port and user', () => {
    const rules = renderRedirect({
      outbound: [
        { toPort: 15_001, cidrs: ['10.77.0.0/24', 'fd77::/64'], ports: [80, 81], onlyUids: [65_534] },
      ],
    });
    const limit = 'meta l4proto tcp tcp dport { 80, 81 } redirect to :15001';
    expect(rules).to.contain(`meta skuid { 65534 } ip daddr { 10.77.0.0/24 } ${limit}`);
    expect(rules).to.contain(`meta skuid { 65534 } ip6 daddr { fd77::/64 } ${limit}`);
  });

  it('leave out peers of either family, in both directions, before any redirect', () => {
    const rules = renderRedirect({
      outbound: [{ toPort: 15_001 }],
      inboundPort: 15_006,
      excludedCidrs: ['10.77.0.4', 'fd77::4'],
    });
    for (const [end, port] of [
      ['daddr', 15_001],
      ['saddr', 15_006],
    ] as const)
      for (const exemption of [`ip ${end} { 10.77.0.4 } accept`, `ip6 ${end} { fd77::4 } accept`])
        expect(rules.indexOf(exemption), exemption).to.be.within(0, rules.indexOf(`redirect to :${port}`));
  });

  it('capture inbound plaintext only when asked', () => {
    expect(renderRedirect({ outbound: [{ toPort: 15_001 }] })).not.to.contain('prerouting');
    expect(renderRedirect({ inboundPort: 15_006 })).to.contain('meta l4proto tcp redirect to :15006');
  });

  it('mark spoofed connections only when asked', () => {
    expect(renderRedirect({ inboundPort: 15_006 })).not.to.contain('ct mark');
    expect(renderRedirect({ originalSource: true })).to.contain('ct mark set 0x111');
  });
});
