import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { run } from '../testing/context.ts';
import type { Ran } from '../testing/context.ts';
import { dump } from '../testing/dump.test-data.ts';

const noon = Date.parse('2026-01-01T12:00:00Z');

describe('ambientctl ztunnel-config', () => {
  const show = (...words: string[]): Promise<Ran> =>
    run(['ztunnel-config', ...words, '--file', 'dump'], { files: { dump }, clock: new ManualClock(noon) });
  const table = async (...words: string[]): Promise<string> => {
    const ran = await show(...words);
    expect(ran.err).to.equal('');
    return ran.out;
  };

  it('shows workloads in the columns of istioctl', async () => {
    expect(await table('workloads')).to.equal(`\
NAMESPACE POD NAME      ADDRESS              NODE WAYPOINT PROTOCOL
guest     old           10.244.2.9           two  NA       TCP
guest     outside       api.example               None     TCP
shop      catalog-77c9  10.244.2.3           two  None     HBONE
shop      checkout-6d4f 10.244.1.7,fd44::1:7 one  gate     HBONE
`);
  });

  it('shows services with how many of their endpoints are healthy', async () => {
    expect(await table('svc')).to.equal(`\
NAMESPACE SERVICE NAME SERVICE VIP         WAYPOINT ENDPOINTS
shop      catalog      10.96.0.20,fd96::20 gate     1/2
shop      gate         10.96.0.30          None     0/0
`);
  });

  it('shows policies', async () => {
    expect(await table('policy')).to.equal(`\
NAMESPACE POLICY NAME   ACTION SCOPE
shop      only-checkout Allow  WorkloadSelector
shop      strict        Deny   Namespace
`);
  });

  it('shows certificates by kind, validity and serial number', async () => {
    const rows = (await table('certs')).split('\n').map((line) => line.split(/ {5,}/));
    expect(rows).to.deep.equal([
      ['CERTIFICATE NAME', 'TYPE', 'STATUS', 'VALID CERT', 'SERIAL NUMBER', 'NOT AFTER', 'NOT BEFORE'],
      [
        'spiffe://cluster.local/ns/shop/sa/checkout',
        'Leaf',
        'Available',
        'true',
        'ff',
        '2026-01-02T00:00:00Z',
        '2026-01-01T00:00:00Z',
      ],
      [
        'spiffe://cluster.local/ns/shop/sa/checkout',
        'Intermediate',
        'Available',
        'false',
        '1000',
        '2026-01-01T06:00:00Z',
        '2025-01-01T00:00:00Z',
      ],
      [
        'spiffe://cluster.local/ns/shop/sa/checkout',
        'Root',
        'Available',
        'true',
        '1',
        '2030-01-01T00:00:00Z',
        '2020-01-01T00:00:00Z',
      ],
      ['spiffe://cluster.local/ns/guest/sa/default', 'NA', 'Initializing', 'false', 'NA', 'NA', 'NA'],
      ['spiffe://cluster.local/ns/guest/sa/late', 'NA', 'Unavailable', 'false', 'NA', 'NA', 'NA'],
      [''],
    ]);
  });

  it('shows connections by the names that the mesh knows, or raw', async () => {
    expect(await table('connections')).to.equal(`\
WORKLOAD           DIRECTION LOCAL                    REMOTE                  REMOTE TARGET                     PROTOCOL
checkout-6d4f.shop Inbound   checkout-6d4f.shop:8080  catalog-77c9.shop:41000 checkout.shop.svc.cluster.local   HBONE
checkout-6d4f.shop Outbound  checkout-6d4f.shop:52000 catalog-77c9.shop:15008 catalog.shop.svc.cluster.local:80 HBONE
checkout-6d4f.shop Outbound  checkout-6d4f.shop:52001 192.0.2.1:443           catalog.shop.svc.cluster.local:80 TCP
`);
    expect(await table('cons', '--raw', '--direction', 'inbound')).to.equal(`\
WORKLOAD           DIRECTION LOCAL           REMOTE           REMOTE TARGET                   PROTOCOL
checkout-6d4f.shop Inbound   10.244.1.7:8080 10.244.2.3:41000 checkout.shop.svc.cluster.local HBONE
`);
    expect((await table('cons', '--workload-namespace', 'guest')).split('\n')).to.have.length(2);
  });

  it('filters by address, node and namespace, without regard to case', async () => {
    expect((await table('w', '--address', 'FD44::1:7')).split('\n')).to.have.length(3);
    expect((await table('w', '--workload-node', 'two')).split('\n')).to.have.length(4);
    expect((await table('w', '--workload-namespace', 'Guest')).split('\n')).to.have.length(4);
    expect((await table('s', '--service-namespace', 'guest')).split('\n')).to.have.length(2);
    expect((await table('p', '--policy-namespace', 'guest')).split('\n')).to.have.length(2);
  });

  it('shows all of it, and the whole dump as JSON and YAML', async () => {
    const all = await table('all');
    expect(all.match(/------ .* INFO ------/g)).to.have.length(5);
    expect(JSON.parse(await table('all', '-o', 'json'))).to.deep.equal(JSON.parse(dump));
    expect(await table('policies', '-o', 'yaml')).to.match(/^- name: only-checkout\n/);
    expect(JSON.parse(await table('w', '-o', 'json', '--workload-namespace', 'shop'))).to.have.length(2);
  });

  it('reads objects where older ztunnels wrote them in place of lists', async () => {
    const old = JSON.stringify({
      workloads: { '/10.0.0.1': { name: 'a', namespace: 'b', protocol: 'TCP' } },
    });
    const { out } = await run(['zc', 'w', '-f', 'old'], { files: { old } });
    expect(out.split('\n')[1]).to.match(/^b +a /);
  });

  for (const [what, text, problem] of [
    ['no JSON', 'certificate expired', 'is no JSON'],
    ['a list', '[]', 'no JSON object'],
    ['a list of numbers', '{"workloads":[1]}', 'workloads is no list of objects'],
  ] as const)
    it(`refuses a dump that is ${what}`, async () => {
      const ran = await run(['zc', 'w', '-f', 'bad'], { files: { bad: text } });
      expect(ran.code).to.equal(1);
      expect(ran.err).to.contain(problem);
    });

  it('ends with 2 for a wrong command line, and says what is right', async () => {
    for (const [words, text] of [
      [['zc', 'w', '--nonsense'], "unknown option '--nonsense'"],
      [['zc', 'w', '-o', 'xml', '-f', 'dump'], 'use table, json or yaml'],
      [['zc', 'cons', '--direction', 'up'], 'Allowed choices are inbound, outbound'],
      [['zc', 'w', 'some-pod', '-f', 'dump'], 'at most one of a pod'],
      [['zc', 'log', '--level', 'loud', '--admin', ':1'], 'is no level'],
      [['zc', 'log', '--level', 'info', '-r', '--admin', '1'], 'exclude each other'],
      [['zc', 'w', '--admin', 'nowhere'], 'is no HOST:PORT'],
      [['nonsense'], "unknown command 'nonsense'"],
    ] as const) {
      const ran = await run(words, { files: { dump } });
      expect(ran, words.join(' ')).to.include({ code: 2, out: '' });
      expect(ran.err).to.contain(text);
    }
  });

  it('names the remedy where there is no kubeconfig', async () => {
    const ran = await run(['zc', 'w', '--kubeconfig', '/nowhere/config']);
    expect(ran.code).to.equal(1);
    expect(ran.err).to.contain('no kubeconfig at /nowhere/config; name one with --kubeconfig');
  });

  describe('at an admin port', () => {
    let server: Server;
    let address: string;
    const asked: string[] = [];
    before(async () => {
      server = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        if (request.url?.startsWith('/logging') === true) response.end('current log level is info\n');
        else if (request.url === '/config_dump') response.end(dump);
        else response.writeHead(404).end('not found\n');
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(() => server.close());

    it('reads the dump there', async () => {
      expect((await run(['zc', 'p', '--admin', address])).out).to.contain('only-checkout');
    });

    it('shows and changes log levels, by the names of istioctl', async () => {
      asked.length = 0;
      const shown = await run(['zc', 'log', '--admin', address]);
      expect(shown.out).to.equal(`${address}:\ncurrent log level is info\n\n`);
      await run(['zc', 'log', '--admin', address, '--level', 'access:warning,critical']);
      await run(['zc', 'log', '--admin', address, '--reset']);
      expect(asked).to.deep.equal([
        'POST /logging',
        'POST /logging?level=access%3Dwarn%2Cerror',
        'POST /logging?reset',
      ]);
    });

    it('says that another ztunnel has no connections to watch', async () => {
      const ran = await run(['tap', '--admin', address]);
      expect(ran.code).to.equal(1);
      expect(ran.err).to.contain('has no /connections').and.to.contain('of this project');
    });
  });

  it('says that nobody answers', async () => {
    const ran = await run(['zc', 'w', '--admin', '127.0.0.1:1']);
    expect(ran.code).to.equal(1);
    expect(ran.err).to.contain('cannot connect to 127.0.0.1:1');
  });
});
