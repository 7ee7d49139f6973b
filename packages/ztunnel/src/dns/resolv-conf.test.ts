import { expect } from 'chai';
import { parseResolvConf } from './resolv-conf.ts';

describe('parseResolvConf', () => {
  it('reads what a kubelet writes', () => {
    const text =
      'search istio-system.svc.cluster.local svc.cluster.local Cluster.Local.\nnameserver 10.96.0.10\noptions ndots:5\n';
    expect(parseResolvConf(text)).deep.equal({
      servers: [{ ip: '10.96.0.10', port: 53 }],
      searchDomains: ['istio-system.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      problems: [],
    });
  });

  it('passes comments over, takes the last of search and domain', () => {
    const text =
      '# nameserver 1.1.1.1\n; nameserver 2.2.2.2\n\tnameserver\t::1 # near\ndomain a.example\nsearch b.example\r\n';
    const { servers, searchDomains } = parseResolvConf(text);
    expect(servers).deep.equal([{ ip: '::1', port: 53 }]);
    expect(searchDomains).deep.equal(['b.example']);
  });

  it('names what it cannot use, and goes on', () => {
    const text = ['nameserver', 'nameserver fe80::1%eth0', 'nameserver dns.example'];
    for (let i = 1; i <= 4; i++) text.push(`nameserver 10.0.0.${i}`);
    const { servers, problems } = parseResolvConf(text.join('\n'));
    expect(servers.map(({ ip }) => ip)).deep.equal(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    expect(problems).deep.equal([
      "line 1: '' is no IP address without a zone",
      "line 2: 'fe80::1%eth0' is no IP address without a zone",
      "line 3: 'dns.example' is no IP address without a zone",
      'line 7: only 3 nameservers are used',
    ]);
  });

  it('falls back to the local machine', () => {
    expect(parseResolvConf('').servers).deep.equal([{ ip: '127.0.0.1', port: 53 }]);
  });
});
