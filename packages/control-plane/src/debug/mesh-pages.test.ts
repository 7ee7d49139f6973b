import { expect } from 'chai';
import { ResourceTable } from '@ambient/xds/server';
import { istio, typeUrl } from '@ambient/wire';

import { explainPage } from './explain-page.ts';
import { jsonPieces } from './long-json.ts';
import { meshPage } from './mesh-pages.ts';

const { Address, TunnelProtocol } = istio.workload;
const hostname = 'web.shop.svc.cluster.local';
const tables = {
  authorization: new ResourceTable(typeUrl.authorization),
  address: new ResourceTable(typeUrl.address),
};

before(() => {
  const workload = (name: string, namespace: string) => ({
    name: `c//Pod/${namespace}/${name}`,
    aliases: ['/10.1.0.1'],
    serviceKeys: [`shop/${hostname}`],
    bytes: Address.encode({
      workload: {
        uid: `c//Pod/${namespace}/${name}`,
        name,
        namespace,
        addresses: [Buffer.from([10, 1, 0, 1])],
        tunnelProtocol: TunnelProtocol.HBONE,
        services: { [`shop/${hostname}`]: { ports: [{ servicePort: 80, targetPort: 8080 }] } },
      },
    }).finish(),
  });
  const service = {
    name: `shop/${hostname}`,
    bytes: Address.encode({
      service: {
        name: 'web',
        namespace: 'shop',
        hostname,
        addresses: [{ network: 'n', address: Buffer.from([10, 96, 0, 1]) }],
        ports: [{ servicePort: 80, targetPort: 8080 }],
      },
    }).finish(),
  };
  tables.address.apply(
    [workload('a', 'shop'), service, workload('b', 'other'), { name: 'broken', bytes: Buffer.from([0xff]) }],
    [],
  );
  const policy = { name: 'allow', namespace: 'shop', action: istio.security.Action.DENY };
  tables.authorization.apply(
    [{ name: 'shop/allow', bytes: istio.security.Authorization.encode(policy).finish() }],
    [],
  );
});

const parsed = (page: unknown): Record<string, Record<string, unknown>[]> =>
  JSON.parse([...jsonPieces(page)].join('')) as Record<string, Record<string, unknown>[]>;

describe('the page of what is served', () => {
  it('has addresses and words that people read, in the form of ztunnel’s dump', () => {
    const { workloads, services, policies } = parsed(meshPage(tables));
    expect(workloads![0]).deep.include({ name: 'a', workloadIps: ['10.1.0.1'], protocol: 'HBONE' });
    expect(services![0]).deep.include({ hostname, vips: ['n/10.96.0.1'], ports: { 80: 8080 } });
    expect(Object.keys(services![0]!['endpoints']!)).deep.equal(['c//Pod/shop/a', 'c//Pod/other/b']);
    expect(policies![0]).deep.include({ name: 'allow', action: 'Deny' });
  });

  it('shows what cannot be read by its name, and the rest nevertheless', () => {
    const { workloads } = parsed(meshPage(tables));
    expect(workloads!.map((one) => one['name'] ?? one['unreadable'])).deep.equal(['a', 'b', 'broken']);
  });

  it('shows one namespace if asked to, with the endpoints that its services have elsewhere', () => {
    const { workloads, services, policies } = parsed(meshPage(tables, { namespace: 'shop' }));
    expect(workloads!.map(({ name }) => name)).deep.equal(['a', undefined]);
    expect(Object.keys(services![0]!['endpoints']!)).length(2);
    expect(policies).length(1);
    expect(parsed(meshPage(tables, { namespace: 'other' }))['policies']).deep.equal([]);
  });
});

describe('the page that explains', () => {
  const origin = { derivation: 'pods', kind: 'Pod', read: [], problems: [] } as const;
  const engine = {
    origins: () => [
      { ...origin, key: 'shop/a', served: true },
      { ...origin, key: 'shop/rival', served: false },
    ],
  };
  const explain = (resource: string): unknown =>
    explainPage(engine, [tables.authorization, tables.address], new URLSearchParams({ resource }));

  it('says which object a resource comes from, and who else claims its name', () => {
    const [one] = explain('c//Pod/shop/a') as Record<string, Record<string, unknown>>[];
    expect(one!['derivedFrom']!['object']).equal('Pod shop/a');
    expect((one!['rivals'] as unknown as { object: string }[])[0]!.object).equal('Pod shop/rival');
    expect(one!['value']).deep.include({ name: 'a' });
  });

  it('counts the endpoints of a service, and does not list them', () => {
    const [one] = explain(`shop/${hostname}`) as Record<string, unknown>[];
    expect(one).deep.include({ endpoints: 2 });
    expect(one!['value']).not.property('endpoints');
  });

  it('finds by address, and says where to look if there is nothing', () => {
    expect(explain('/10.1.0.1')).length(2);
    expect(() => explain('nothing')).throws('/debug/problemz');
    expect(() => explain('')).throws('?resource=');
  });
});
