import { expect } from 'chai';
import { problemsOf, testCases } from './validation-cases.test-data.ts';

describe('VirtualService', () => {
  const to = { destination: { host: 'a.b' } };
  const http = (...routes: object[]) => ({ hosts: ['a.b'], http: routes });
  const H = 'spec.http[0]';
  testCases('networking.istio.io/VirtualService', [
    {
      name: 'takes routes',
      spec: http(
        {
          match: [{ uri: { prefix: '/a' }, headers: { 'x-a': { exact: 'b' } } }],
          route: [
            { ...to, weight: 90 },
            { ...to, weight: 10 },
          ],
          timeout: '0s',
          retries: { attempts: 2, retryOn: '5xx,503' },
        },
        { redirect: { uri: '/', redirectCode: 302 } },
      ),
    },
    { name: 'takes a delegate', spec: { http: [{ route: [to] }] } },
    { name: 'needs a route', spec: { hosts: ['a.b'] }, errors: ['spec'] },
    {
      name: 'a star is not for the mesh',
      spec: { ...http({ route: [to] }), hosts: ['*'] },
      errors: ['spec.hosts[0]'],
    },
    { name: 'a star is for gateways', spec: { ...http({ route: [to] }), hosts: ['*'], gateways: ['ns/gw'] } },
    {
      name: 'hosts overlap',
      spec: { ...http({ route: [to] }), hosts: ['*.com', 'a.com'] },
      errors: ['spec.hosts[1]'],
    },
    {
      name: 'a delegate has no gateways',
      spec: { gateways: ['g'], http: [{ route: [to] }] },
      errors: ['spec.gateways'],
    },
    { name: 'one answer', spec: http({ route: [to], redirect: {} }), errors: [H] },
    { name: 'an answer', spec: http({}), errors: [H] },
    {
      name: 'a destination',
      spec: http({ route: [{ destination: { host: '*.b', subset: 'A B', port: {} } }] }),
      errors: [
        `${H}.route[0].destination.host`,
        `${H}.route[0].destination.subset`,
        `${H}.route[0].destination.port.number`,
      ],
    },
    { name: 'weights', spec: http({ route: [to, to] }), errors: [`${H}.route[0].weight`] },
    { name: 'timeouts', spec: http({ route: [to], timeout: '1x' }), errors: [`${H}.timeout`] },
    {
      name: 'retries',
      spec: http({ route: [to], retries: { attempts: -1, retryOn: 'never' } }),
      errors: [`${H}.retries.attempts`, `${H}.retries.retryOn`],
    },
    {
      name: 'faults',
      spec: http({ route: [to], fault: { abort: { httpStatus: 99, percentage: { value: 101 } } } }),
      errors: [`${H}.fault.abort.httpStatus`, `${H}.fault.abort.percentage.value`],
    },
    {
      name: 'regular expressions of RE2',
      spec: http({ match: [{ uri: { regex: '(?=a)' } }], route: [to] }),
      errors: [`${H}.match[0].uri.regex`],
    },
    {
      name: 'flags of RE2 are in order',
      spec: http({ match: [{ uri: { regex: '(?i)/a(?P<x>b)' } }], route: [to] }),
    },
    {
      name: 'one kind of match',
      spec: http({ match: [{ uri: { exact: 'a', prefix: 'b' } }], route: [to] }),
      errors: [`${H}.match[0].uri`],
    },
    {
      name: 'redirects',
      spec: http({ redirect: { redirectCode: 200 } }),
      errors: [`${H}.redirect.redirectCode`],
    },
    {
      name: 'direct responses',
      spec: http({ directResponse: { body: { string: 'a', bytes: 'b' } } }),
      errors: [`${H}.directResponse.status`, `${H}.directResponse.body`],
    },
    {
      name: 'a route behind one that takes all',
      spec: http({ route: [to] }, { match: [{ uri: { exact: '/' } }], route: [to] }),
      warnings: ['spec.http[1]'],
    },
    {
      name: 'TLS routes',
      spec: { hosts: ['a.b'], tls: [{ route: [to] }, { match: [{ sniHosts: [], port: 0 }], route: [to] }] },
      errors: ['spec.tls[0].match', 'spec.tls[1].match[0].sniHosts', 'spec.tls[1].match[0].port'],
    },
    {
      name: 'TCP routes',
      spec: { hosts: ['a.b'], tcp: [{ match: [{ destinationSubnets: ['x'] }] }] },
      errors: ['spec.tcp[0].match[0].destinationSubnets[0]', 'spec.tcp[0].route'],
    },
    {
      name: 'header operations',
      spec: http({ route: [to], headers: { request: { set: { 'a b': 'c' }, remove: [''] } } }),
      errors: [`${H}.headers.request.set["a b"]`, `${H}.headers.request.remove[0]`],
    },
  ]);
});

describe('hosts of a VirtualService', () => {
  const errorsOf = (...hosts: string[]) =>
    problemsOf('networking.istio.io/VirtualService', {
      hosts,
      gateways: ['g'],
      http: [{ route: [{ destination: { host: 'a.b' } }] }],
    }).map(({ path, message }) => `${path} ${message}`);

  const cases: [string[], boolean][] = [
    [['a.com', 'b.com'], false],
    [['a.com', 'a.com'], true],
    [['*.com', 'a.com'], true],
    [['a.b.com', '*.com'], true],
    [['*.com', '*.b.com'], true],
    [['*.b.com', '*.com'], true],
    [['*.com', '*.com'], true],
    [['*.b.com', 'b.com'], false],
    [['b.com', '*.b.com'], false],
    [['*.b.com', '*.c.com'], false],
    [['*', 'a.com'], true],
    [['a.com', '*'], true],
  ];
  for (const [hosts, overlap] of cases)
    it(`${hosts.join(' and ')} ${overlap ? 'overlap' : 'stand side by side'}`, () => {
      expect(errorsOf(...hosts)).to.have.length(overlap ? 1 : 0);
    });

  it('a hundred thousand are checked in a moment', () => {
    const started = performance.now();
    expect(errorsOf(...Array.from({ length: 100_000 }, (_, i) => `h${i}.example.com`))).to.have.length(0);
    expect(performance.now() - started).to.be.below(5000);
  });
});
