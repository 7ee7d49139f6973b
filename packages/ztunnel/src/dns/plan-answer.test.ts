import { serviceWith, workloadWith } from '@ambient/mesh';
import type { Service } from '@ambient/mesh';
import { expect } from 'chai';
import type { DnsPlan, NameScope } from './plan-answer.ts';
import { planAnswer } from './plan-answer.ts';
import type { QuestionOptions } from './testing/messages.ts';
import { parsedQuery, queryMessage, scopeOf, serviceAt, shopClient } from './testing/messages.ts';

const ask = (scope: NameScope, name: string, options: QuestionOptions = {}, client = shopClient): DnsPlan =>
  planAnswer(scope, client, parsedQuery(queryMessage(name, options)));

/** Addresses, behind the canonical name if there is one; or why the question is forwarded. */
const told = (plan: DnsPlan): string =>
  plan.kind === 'forward'
    ? plan.why
    : [plan.records.canonicalName, ...plan.records.addresses].filter((part) => part !== undefined).join(' ');

const web = serviceAt('shop', 'web.shop.svc.cluster.local', '10.96.0.1', 'fd96::1');

describe('planAnswer: who answers', () => {
  const scope = scopeOf([web]);

  for (const name of ['web', 'web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local', 'WEB.Shop.svc'])
    it(`the mesh, a question for ${name}`, () => {
      expect(told(ask(scope, name))).equal('10.96.0.1');
      expect(told(ask(scope, name, { type: 'AAAA' }))).equal('fd96::1');
    });

  for (const type of ['SRV', 'TXT', 'MX', 'NS', 'SOA', 'PTR', 'CNAME', 'ANY', 'AXFR'])
    it(`upstream, a question for ${type}`, () => {
      expect(told(ask(scope, 'web', { type }))).equal('not a question for an address');
    });

  it('upstream, another class and another operation', () => {
    expect(told(ask(scope, 'web', { class: 'CH' }))).equal('not a question for an address');
    expect(told(ask(scope, 'web', { flags: 2 << 11 }))).equal('not a question for an address');
  });

  it('upstream, what the mesh does not know, and the root', () => {
    expect(told(ask(scope, 'example.com'))).equal('not in the mesh');
    expect(told(ask(scope, 'pod.web.shop.svc.cluster.local'))).equal('not in the mesh');
    expect(told(ask(scope, '.'))).equal('not in the mesh');
  });

  it('upstream, a name whose label has a dot: it is not the name of two labels', () => {
    const message = queryMessage('web-shop.svc');
    message[message.indexOf('-')] = 0x2e;
    expect(told(planAnswer(scope, shopClient, parsedQuery(message)))).equal('not in the mesh');
  });
});

describe('planAnswer: which service', () => {
  const inBank = serviceAt('bank', 'api.example.com', '10.96.1.1');
  const inShop = serviceAt('shop', 'api.example.com', '10.96.1.2');
  const canonical: Service = { ...serviceAt('gate', 'api.example.com', '10.96.1.3'), canonical: true };
  const hidden: Service = { ...serviceAt('safe', 'api.example.com', '10.96.1.4'), visibility: 'NAMESPACE' };

  it('that of the client, then the canonical one, then one of the preferred namespace, then the first', () => {
    const address = (services: Service[], preferred?: string): string =>
      told(ask({ ...scopeOf(services), preferredNamespace: preferred }, 'api.example.com'));
    expect(address([inBank, canonical, inShop])).equal('10.96.1.2');
    expect(address([inBank, canonical])).equal('10.96.1.3');
    expect(address([inBank, { ...canonical, canonical: false }], 'gate')).equal('10.96.1.3');
    expect(address([inBank, { ...canonical, canonical: false }])).equal('10.96.1.1');
  });

  it('never one that the client may not see', () => {
    expect(told(ask(scopeOf([hidden]), 'api.example.com'))).equal('not in the mesh');
    expect(told(ask(scopeOf([hidden, inBank]), 'api.example.com'))).equal('10.96.1.1');
    const atHome = workloadWith({ uid: 'x', namespace: 'safe' });
    expect(told(ask(scopeOf([hidden]), 'api.example.com', {}, atHome))).equal('10.96.1.4');
  });

  it('the name itself before a wildcard, the nearest wildcard before others', () => {
    const scope = scopeOf([
      serviceAt('shop', '*.example.com', '10.96.2.1'),
      serviceAt('shop', '*.eu.example.com', '10.96.2.2'),
      inShop,
    ]);
    expect(told(ask(scope, 'api.example.com'))).equal('10.96.1.2');
    expect(told(ask(scope, 'other.example.com'))).equal('10.96.2.1');
    expect(told(ask(scope, 'a.b.eu.example.com'))).equal('10.96.2.2');
    expect(told(ask(scope, 'example.com'))).equal('not in the mesh');
  });
});

describe('planAnswer: search domains', () => {
  const scope = scopeOf([serviceAt('shop', 'api.example.com', '10.96.1.1')]);

  it('a name in one is another name for what is left', () => {
    for (const domain of ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'])
      expect(told(ask(scope, `api.example.com.${domain}`)), domain).equal('api.example.com 10.96.1.1');
    expect(told(ask(scope, 'api.example.com.bank.svc.cluster.local'))).equal('not in the mesh');
  });

  it('what is left may be short for a service', () => {
    const services = scopeOf([serviceAt('bank', 'web.bank.svc.cluster.local', '10.96.3.1')]);
    expect(told(ask(services, 'web.bank.shop.svc.cluster.local'))).equal('web.bank 10.96.3.1');
  });

  it('a wildcard hit has its records under the name that was asked for', () => {
    const wild = scopeOf([serviceAt('shop', '*.example.com', '10.96.2.1')]);
    expect(told(ask(wild, 'x.example.com.shop.svc.cluster.local'))).equal('10.96.2.1');
  });
});

describe('planAnswer: which addresses', () => {
  it('those of the client network alone; of another, none, and nobody else is asked', () => {
    const remote = serviceWith({
      namespace: 'shop',
      hostname: 'web.shop.svc.cluster.local',
      addresses: [
        { network: 'east', ip: '10.96.0.9' },
        { network: 'west', ip: '10.97.0.9' },
      ],
    });
    const eastClient = workloadWith({ uid: 'e', namespace: 'shop', network: 'east' });
    expect(told(ask(scopeOf([remote]), 'web', {}, eastClient))).equal('10.96.0.9');
    expect(ask(scopeOf([remote]), 'web'))
      .nested.property('records.addresses')
      .deep.equal([]);
  });

  it('of the family that was asked for; without any the answer is empty', () => {
    const scope = scopeOf([serviceAt('shop', 'web.shop.svc.cluster.local', '10.96.0.1')]);
    expect(ask(scope, 'web', { type: 'AAAA' }))
      .nested.property('records.addresses')
      .deep.equal([]);
  });

  for (const [ipFamilies, a, aaaa] of [
    ['AUTOMATIC', '10.96.0.1', 'fd96::1'],
    ['DUAL', '10.96.0.1', 'fd96::1'],
    ['IPV4_ONLY', '10.96.0.1', ''],
    ['IPV6_ONLY', '', 'fd96::1'],
  ] as const)
    it(`of a service that is ${ipFamilies}`, () => {
      const scope = scopeOf([{ ...web, ipFamilies }]);
      expect(told(ask(scope, 'web'))).equal(a);
      expect(told(ask(scope, 'web', { type: 'AAAA' }))).equal(aaaa);
    });

  it('no AAAA where IPv6 is off', () => {
    const scope = { ...scopeOf([web]), ipv6Enabled: false };
    expect(ask(scope, 'web', { type: 'AAAA' }))
      .nested.property('records.addresses')
      .deep.equal([]);
  });

  const endpoint = (uid: string, addresses: string[], fields = {}) =>
    workloadWith({ uid, addresses, services: { 'shop/db.shop.svc.cluster.local': [] }, ...fields });
  const db = serviceWith({ namespace: 'shop', hostname: 'db.shop.svc.cluster.local' });
  const endpoints = [
    endpoint('1', ['10.0.0.1', '10.0.0.2', 'fd00::1']),
    endpoint('2', ['10.0.0.3']),
    endpoint('3', ['10.0.0.4'], { status: 'UNHEALTHY' }),
    endpoint('4', []),
  ];

  it('of a headless service, the first of the family of every healthy endpoint', () => {
    const scope = scopeOf([db], endpoints);
    expect(told(ask(scope, 'db'))).equal('10.0.0.1 10.0.0.3');
    expect(told(ask(scope, 'db', { type: 'AAAA' }))).equal('fd00::1');
    expect(told(ask(scopeOf([db]), 'db'))).equal('');
  });

  it('of a headless service that publishes addresses that are not ready, all', () => {
    const all = {
      ...db,
      loadBalancing: { mode: 'UNSPECIFIED_MODE', routingPreference: [], healthPolicy: 'ALLOW_ALL' },
    } as const;
    expect(told(ask(scopeOf([all], endpoints), 'db'))).equal('10.0.0.1 10.0.0.3 10.0.0.4');
  });

  it('of a headless service of one family, that one', () => {
    expect(told(ask(scopeOf([{ ...db, ipFamilies: 'IPV6_ONLY' }], endpoints), 'db'))).equal('');
  });

  it('a service outside Kubernetes without an address is left to upstream, one of ranges too', () => {
    const bare = serviceWith({ namespace: 'shop', hostname: 'api.example.com' });
    const ranges = { ...bare, cidrAddresses: [{ network: '', ip: '10.1.0.0', length: 16 }] };
    expect(told(ask(scopeOf([bare]), 'api.example.com'))).equal('no address in the mesh');
    expect(told(ask(scopeOf([ranges]), 'api.example.com'))).equal('no address in the mesh');
  });

  it('in an order that differs from answer to answer', () => {
    const ips = Array.from({ length: 8 }, (_, i) => `10.96.9.${i + 1}`);
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    const scope = { ...scopeOf([serviceAt('shop', 'many.example', ...ips)]), random };
    const firsts = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const addresses = told(ask(scope, 'many.example')).split(' ');
      expect([...addresses].sort()).deep.equal(ips);
      firsts.add(addresses[0]!);
    }
    expect(firsts.size).equal(8);
  });
});
