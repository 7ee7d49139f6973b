import { expect } from 'chai';

import type { AdminClient } from '../cluster/admin-client.ts';
import { formatExplanation } from './answers.ts';
import type { InboundAnswer, OutboundAnswer } from './answers.ts';
import { explain } from './command.ts';
import { run } from '../testing/context.ts';

const hbone: OutboundAnswer = {
  workload: 'shop/checkout',
  identity: 'spiffe://cluster.local/ns/shop/sa/checkout',
  sourceIp: '10.244.1.9',
  destination: '10.96.0.20:80',
  route: 'hbone',
  via: 'direct',
  nextHop: { name: 'catalog', namespace: 'shop', node: 'two' },
  authority: '10.244.2.3:8080',
  lines: ['10.96.0.20:80 is service shop/catalog', 'HBONE to catalog'],
};
const allowed: InboundAnswer = {
  workload: 'shop/catalog',
  allowed: true,
  policy: 'shop/only-checkout',
  lines: ['allowed by shop/only-checkout'],
};
const source = {
  name: 'checkout',
  namespace: 'shop',
  node: 'one',
  ips: ['fd44::7', '10.244.1.7'],
  captured: true,
};

/** A ztunnel with prepared answers. */
function ztunnel(node: string, answer: object, asked: string[] = []): AdminClient {
  const never = (): Promise<never> => Promise.reject(new Error('not expected'));
  return {
    name: `ztunnel-${node}`,
    node,
    get(path) {
      asked.push(decodeURIComponent(path));
      return Promise.resolve(JSON.stringify(answer));
    },
    post: never,
    lines: never,
  };
}

describe('ambientctl explain', () => {
  it('asks both sides, the server by what the client would send', async () => {
    const asked: string[] = [];
    const answer = await explain(source, '10.96.0.20:80', ztunnel('one', hbone, asked), (node) =>
      Promise.resolve(ztunnel(node, allowed, asked)),
    );
    expect(asked).to.deep.equal([
      '/explain?from=shop/checkout&to=10.96.0.20:80',
      '/explain?at=shop/catalog&source=10.244.1.7&authority=10.244.2.3:8080&identity=spiffe://cluster.local/ns/shop/sa/checkout',
    ]);
    expect(answer.outcome).to.equal('HBONE; allowed by shop/only-checkout');
    expect(formatExplanation(answer)).to.equal(`\
shop/checkout (spiffe://cluster.local/ns/shop/sa/checkout) to 10.96.0.20:80

source, ztunnel-one, node one
  10.96.0.20:80 is service shop/catalog
  HBONE to catalog

destination, ztunnel-two, node two
  allowed by shop/only-checkout

HBONE; allowed by shop/only-checkout
`);
  });

  it('asks as plain text for a client that is not captured', async () => {
    const asked: string[] = [];
    const denied = { ...allowed, allowed: false, policy: 'shop/strict', reason: 'denied-by-policy' };
    const answer = await explain(
      { ...source, captured: false },
      '10.96.0.20:80',
      ztunnel('one', hbone),
      (node) => Promise.resolve(ztunnel(node, denied, asked)),
    );
    expect(asked).to.deep.equal(['/explain?at=shop/catalog&source=10.244.1.7&to=10.244.2.3:8080']);
    expect(answer.outcome)
      .to.contain('not in the mesh')
      .and.to.contain('denied at the destination: shop/strict');
  });

  for (const [what, over, outcome] of [
    [
      'a waypoint',
      { via: 'service-waypoint', nextHop: { name: 'gate', namespace: 'shop', node: 'two' } },
      'HBONE to gate, which decides',
    ],
    [
      'no workload',
      { route: 'passthrough', nextHop: undefined },
      'plain TCP, as dialled; no ztunnel decides',
    ],
    [
      'a refusal',
      { route: 'refused', nextHop: undefined, refusal: { reason: 'service-port-unknown', message: '' } },
      'refused at the source: service-port-unknown',
    ],
  ] as const)
    it(`asks one side alone for ${what}`, async () => {
      const answer = await explain(source, 'x', ztunnel('one', { ...hbone, ...over }), () => {
        throw new Error('nobody else is asked');
      });
      expect(answer.outcome).to.contain(outcome);
    });

  it('takes names only where there is a cluster to look them up', async () => {
    const ran = await run(['explain', 'deploy/checkout', 'catalog', '--admin', '1']);
    expect(ran).to.include({ code: 2 });
    expect(ran.err).to.contain('with --admin give NAMESPACE/POD and IP:PORT');
  });
});
