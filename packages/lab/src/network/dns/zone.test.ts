import type { Answer, RecordType } from 'dns-packet';
import { expect } from 'chai';
import type { EndpointSlice, Service, ServiceSpec } from '@ambient/kube';

import { goldenService, goldenSlices } from '../proxy/golden.test-data.ts';
import { ServiceDirectory } from '../service-directory.ts';
import { decide, responseCodes, reversedAddress } from './answer.ts';
import { Zone } from './zone.ts';

/** A zone with a Service with addresses, a headless one, and an external name. */
function testZone(): { zone: Zone; directory: ServiceDirectory } {
  const directory = new ServiceDirectory((key) => zone.update(key));
  const zone = new Zone({
    entry: (key) => directory.entry(key),
    hasNamespace: (name) => name === 'shop' || name === 'empty',
  });
  const service = (name: string, spec: ServiceSpec): Service => ({
    ...goldenService,
    metadata: { ...goldenService.metadata, name },
    spec: { ...goldenService.spec, ...spec },
  });
  for (const each of [
    service('catalog', {}),
    service('db', { clusterIP: 'None', clusterIPs: ['None'] }),
    service('far', { type: 'ExternalName', externalName: 'example.com', clusterIPs: [] }),
  ])
    directory.services.put(`shop/${each.metadata.name}`, each);
  for (const slice of goldenSlices) {
    const labels = { 'kubernetes.io/service-name': 'db' };
    const endpoints = slice.endpoints!.map((endpoint, index) => {
      const { hostname: _, ...rest } = endpoint;
      return index === 0 ? { ...rest, hostname: 'DB-0' } : rest;
    });
    const name = slice.metadata.name;
    const db: EndpointSlice = { ...slice, metadata: { ...slice.metadata, labels }, endpoints };
    directory.endpointSlices.put(`shop/${name}`, db);
  }
  return { zone, directory };
}

describe("the cluster's zone", () => {
  const { zone } = testZone();

  function ask(name: string, type: RecordType = 'A') {
    return decide({ name, type, class: 'IN' }, zone, 'cluster.local', 1);
  }

  /** Data of the answers, or the response code. */
  function answers(name: string, type: RecordType = 'A'): unknown {
    const decision = ask(name, type);
    if (decision.kind === 'elsewhere') return `elsewhere, or ${decision.withoutOthers}`;
    if (decision.answers.length > 0)
      return decision.answers.map((each: Answer) => ('data' in each ? each.data : undefined));
    expect(decision.authorities.map(({ type }) => type)).to.eql(['SOA']);
    return decision.code;
  }

  const nothing = responseCodes.noError;
  const missing = responseCodes.nameError;
  const expected: readonly [string, RecordType, unknown][] = [
    ['catalog.shop.svc.cluster.local', 'A', ['10.96.0.20']],
    ['CATALOG.shop.SVC.cluster.local', 'AAAA', ['fd96::20']],
    ['catalog.shop.svc.cluster.local', 'MX', nothing],
    ['db.shop.svc.cluster.local', 'A', ['10.244.1.2', '10.244.2.2']],
    ['db.shop.svc.cluster.local', 'AAAA', ['fd44:0:0:1::2', 'fd44:0:0:2::2']],
    ['db-0.db.shop.svc.cluster.local', 'A', ['10.244.1.2']],
    ['10-244-2-2.db.shop.svc.cluster.local', 'A', ['10.244.2.2']],
    ['10-244-2-2.db.shop.svc.cluster.local', 'AAAA', nothing],
    ['10-244-2-3.db.shop.svc.cluster.local', 'A', missing],
    ['_http._tcp.catalog.shop.svc.cluster.local', 'A', ['10.96.0.20']],
    ['_http._udp.catalog.shop.svc.cluster.local', 'SRV', missing],
    ['http.tcp.catalog.shop.svc.cluster.local', 'SRV', missing],
    ['far.shop.svc.cluster.local', 'A', ['example.com']],
    ['far.shop.svc.cluster.local', 'CNAME', ['example.com']],
    ['none.shop.svc.cluster.local', 'A', missing],
    ['shop.svc.cluster.local', 'A', nothing],
    ['empty.svc.cluster.local', 'A', nothing],
    ['gone.svc.cluster.local', 'A', missing],
    ['svc.cluster.local', 'A', nothing],
    ['cluster.local', 'A', nothing],
    ['cluster.local', 'NS', ['ns.dns.cluster.local']],
    ['other.cluster.local', 'A', missing],
    ['dns-version.cluster.local', 'TXT', ['1.1.0']],
    ['10-244-9-9.shop.pod.cluster.local', 'A', ['10.244.9.9']],
    ['fd44--9.shop.pod.cluster.local', 'AAAA', ['fd44::9']],
    ['10-244-9-9.gone.pod.cluster.local', 'A', missing],
    ['20.0.96.10.in-addr.arpa', 'PTR', ['catalog.shop.svc.cluster.local']],
    ['2.1.244.10.in-addr.arpa', 'PTR', ['db-0.db.shop.svc.cluster.local']],
    ['2.2.244.10.in-addr.arpa', 'A', nothing],
    ['9.9.244.10.in-addr.arpa', 'PTR', `elsewhere, or ${missing}`],
    ['example.com', 'A', `elsewhere, or ${responseCodes.refused}`],
    ['notcluster.local', 'A', `elsewhere, or ${responseCodes.refused}`],
  ];
  for (const [name, type, result] of expected)
    it(`has for ${name} ${type}: ${JSON.stringify(result)}`, () => {
      expect(answers(name, type)).to.eql(result);
    });

  it('has a target and its addresses for each endpoint of a port (SRV)', () => {
    const decision = ask('_http._tcp.db.shop.svc.cluster.local', 'SRV');
    expect(answers('_http._tcp.db.shop.svc.cluster.local', 'SRV')).to.deep.include({
      priority: 0,
      weight: 33,
      port: 8080,
      target: 'db-0.db.shop.svc.cluster.local',
    });
    expect(decision).to.have.property('additionals').that.deep.includes({
      type: 'AAAA',
      name: 'db-0.db.shop.svc.cluster.local',
      ttl: 5,
      data: 'fd44:0:0:1::2',
    });
    expect(answers('catalog.shop.svc.cluster.local', 'SRV')).to.eql([
      { priority: 0, weight: 100, port: 80, target: 'catalog.shop.svc.cluster.local' },
    ]);
  });

  it('goes on outside for an address of an external name, and not for the alias itself', () => {
    expect(ask('far.shop.svc.cluster.local')).to.have.property('continueAt', 'example.com');
    expect(ask('far.shop.svc.cluster.local', 'CNAME')).not.to.have.property('continueAt');
  });

  it('leaves out what is not ready, and forgets what is gone', () => {
    const { zone, directory } = testZone();
    const found = () => zone.find(['db', 'shop', 'svc']);
    const slice = directory.endpointSlices.get('shop/catalog-IPv4')!;
    const [first, second] = slice.endpoints!;
    const unready = { ...first!, conditions: { ready: false } };
    directory.endpointSlices.put('shop/catalog-IPv4', { ...slice, endpoints: [unready, second!] });
    directory.endpointSlices.remove('shop/catalog-IPv6');
    expect(found()).to.have.property('targets').with.length(1);
    expect(zone.namesOf('10.244.1.2')).to.eql([]);
    expect(zone.namesOf('10.244.2.2')).to.eql(['10-244-2-2.db.shop.svc']);
    directory.services.remove('shop/db');
    expect(found()).to.eql({ kind: 'missing' });
    expect(zone.namesOf('10.244.2.2')).to.eql([]);
    directory.services.remove('shop/catalog');
    expect(zone.namesOf('10.96.0.20')).to.eql([]);
  });

  it('reads addresses backwards, and nothing else', () => {
    expect(reversedAddress('4.3.2.1.in-addr.arpa')).to.equal('1.2.3.4');
    expect(reversedAddress(`${'0.'.repeat(31)}f.ip6.arpa`)).to.equal(
      'f000:0000:0000:0000:0000:0000:0000:0000',
    );
    for (const name of ['3.2.1.in-addr.arpa', 'x.3.2.1.in-addr.arpa', 'f.ip6.arpa', 'in-addr.arpa'])
      expect(reversedAddress(name)).to.equal(undefined);
  });
});
