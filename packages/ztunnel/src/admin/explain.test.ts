import { matchWith, MeshStore, policyWith, serviceWith, workloadWith } from '@ambient/mesh';
import { expect } from 'chai';

import { ExplainError, explainInbound, explainOutbound } from './explain.ts';
import type { ExplainPlace } from './explain.ts';

const client = workloadWith({
  uid: 'c//Pod/shop/checkout',
  name: 'checkout',
  namespace: 'shop',
  serviceAccount: 'checkout',
  addresses: ['10.0.1.1'],
  node: 'one',
  tunnelProtocol: 'HBONE',
});
const server = workloadWith({
  uid: 'c//Pod/shop/catalog',
  name: 'catalog',
  namespace: 'shop',
  serviceAccount: 'catalog',
  addresses: ['10.0.2.1', 'fd00::2'],
  node: 'two',
  tunnelProtocol: 'HBONE',
  services: { 'shop/catalog.shop': [{ servicePort: 80, targetPort: 8080, appProtocol: 'UNKNOWN' }] },
});
const service = serviceWith({
  name: 'catalog',
  namespace: 'shop',
  hostname: 'catalog.shop',
  addresses: [{ network: '', ip: '10.96.0.20' }],
  ports: [{ servicePort: 80, targetPort: 8080, appProtocol: 'UNKNOWN' }],
});

describe('explaining a connection', () => {
  let place: ExplainPlace;
  beforeEach(() => {
    const store = new MeshStore();
    store.apply([
      { kind: 'workload', workload: client },
      { kind: 'workload', workload: server },
      { kind: 'service', service },
    ]);
    place = { store, network: '', selfPorts: [15001, 15006, 15008], random: () => 0 };
  });
  const outbound = (query: string): ReturnType<typeof explainOutbound> =>
    explainOutbound(place, new URLSearchParams(query));
  const inbound = (query: string): ReturnType<typeof explainInbound> =>
    explainInbound(place, new URLSearchParams(query));

  it('tells by which way, to whom and as whom', () => {
    const answer = outbound('from=shop/checkout&to=10.96.0.20:80');
    expect(answer).to.deep.include({
      workload: 'shop/checkout',
      identity: 'spiffe://cluster.local/ns/shop/sa/checkout',
      sourceIp: '10.0.1.1',
      route: 'hbone',
      via: 'direct',
      service: 'shop/catalog.shop',
      dial: '10.0.2.1:15008',
      authority: '10.0.2.1:8080',
      expectedIdentities: ['spiffe://cluster.local/ns/shop/sa/catalog'],
    });
    expect(answer.nextHop).to.deep.include({ name: 'catalog', node: 'two' });
    expect(answer.steps.map(({ kind }) => kind)).to.deep.equal(['destination', 'endpoints']);
    expect(answer.lines.at(-1)).to.contain('HBONE to c//Pod/shop/catalog');
  });

  it('tells that a destination is unknown, and that one is refused', () => {
    expect(outbound('from=shop/checkout&to=192.0.2.7:443')).to.include({ route: 'passthrough' });
    const refused = outbound('from=shop/checkout&to=10.96.0.20:81');
    expect(refused.refusal?.reason).to.equal('service-port-unknown');
    expect(refused.lines.at(-1)).to.contain('refused');
  });

  it('tells which policies were asked at the destination, and the verdict', () => {
    const rules = [
      {
        clauses: [
          {
            matches: [
              matchWith({ principals: [{ kind: 'exact', value: 'cluster.local/ns/shop/sa/checkout' }] }),
            ],
          },
        ],
      },
    ];
    const policy = policyWith({
      name: 'only-checkout',
      namespace: 'shop',
      scope: 'NAMESPACE',
      action: 'ALLOW',
      rules,
    });
    place.store.apply([{ kind: 'policy', key: 'shop/only-checkout', policy }]);
    const tunnel = 'at=shop/catalog&source=10.0.1.1&authority=10.0.2.1:8080';
    expect(inbound(`${tunnel}&identity=spiffe://cluster.local/ns/shop/sa/checkout`)).to.deep.include({
      allowed: true,
      policy: 'shop/only-checkout',
      destination: '10.0.2.1:8080',
    });
    const other = inbound(`${tunnel}&identity=spiffe://cluster.local/ns/guest/sa/intruder`);
    expect(other).to.deep.include({ allowed: false, reason: 'not-allowed-by-any-policy' });
    expect(other.steps).to.have.length(1);
    const plain = inbound('at=shop/catalog&source=10.0.1.1&to=[fd00::2]:8080');
    expect(plain).to.deep.include({ allowed: false, destination: '[fd00::2]:8080' });
    expect(plain).to.not.have.property('principal');
  });

  it('tells of a port of the proxy that nobody may call', () => {
    expect(inbound('at=shop/catalog&source=10.0.1.1&to=10.0.2.1:15008')).to.include({ reason: 'self-call' });
    const tunnelled = 'authority=10.0.2.1:15008&identity=spiffe://cluster.local/ns/a/sa/b';
    expect(inbound(`at=shop/catalog&source=10.0.1.1&${tunnelled}`)).to.include({ reason: 'proxy-port' });
  });

  for (const [what, query, text] of [
    ['a workload that is not known', 'from=shop/none&to=10.0.0.1:80', 'from=shop/none'],
    ['a destination without a port', 'from=shop/checkout&to=10.0.0.1', 'to=10.0.0.1'],
    ['a destination that is a name', 'from=shop/checkout&to=catalog:80', 'to=catalog:80'],
  ] as const)
    it(`refuses ${what} by the name of the parameter`, () => {
      expect(() => outbound(query)).to.throw(ExplainError, text);
    });

  it('refuses an identity that is none', () => {
    expect(() => inbound('at=shop/catalog&source=10.0.1.1&authority=10.0.2.1:80&identity=root')).to.throw(
      ExplainError,
      'identity=root',
    );
  });
});
