import { istio } from '@ambient/wire';
import { expect } from 'chai';
import { MemoryCluster } from '../../cluster/memory-cluster.test-data.ts';
import type { PeerAuthentication } from '@ambient/kube';
import { mesh, peerAuthentication } from './objects.test-data.ts';
import {
  peerAuthenticationKeys,
  staticStrictKey,
  translatePeerAuthentication,
} from './peer-authentication.ts';

const { Action, Scope } = istio.security;
const STATIC = 'istio-system/istio_converted_static_strict';
const OWN = 'app/converted_peer_authentication_own';
const selector = { matchLabels: { app: 'web' } };
const noIdentity = [{ notPrincipals: [{ presence: {} }] }];
const notPort = (port: number) => [{ notDestinationPorts: [port] }];
const strictPort = (port: number) => [{ notPrincipals: [{ presence: {} }], destinationPorts: [port] }];

const ofMesh = (mode: string, age = 0) =>
  peerAuthentication({ mtls: { mode } }, { name: `mesh-${age}`, namespace: 'istio-system', age });
const ofNamespace = (mode: string, age = 0) =>
  peerAuthentication({ mtls: { mode } }, { name: `ns-${age}`, age });
const own = (mode: string | undefined, ports: Record<string, string> = {}, age = 0, name = 'own') =>
  peerAuthentication(
    {
      selector,
      ...(mode === undefined ? {} : { mtls: { mode } }),
      portLevelMtls: Object.fromEntries(Object.entries(ports).map(([port, m]) => [port, { mode: m }])),
    },
    { name, age },
  );

/** The policies named on a workload of namespace `app`, and the clauses of the converted one: a list for each rule. */
function outcome(...policies: PeerAuthentication[]): { keys: string[]; rules: unknown } {
  const cluster = new MemoryCluster(policies);
  const keys = peerAuthenticationKeys({ namespace: 'app', labels: { app: 'web' } }, cluster, mesh);
  const mine = policies.find(({ metadata }) => metadata.name === 'own');
  const converted = mine && translatePeerAuthentication(mine, cluster, mesh).policies.get(OWN);
  return { keys, rules: converted?.rules?.map((rule) => rule.clauses?.map(({ matches }) => matches)) };
}

describe('mTLS mode of a workload', () => {
  const cases: [string, PeerAuthentication[], string[], unknown?][] = [
    ['nothing is said: plaintext is let in', [], []],
    ['the mesh is strict', [ofMesh('STRICT')], [STATIC]],
    ['the mesh is permissive', [ofMesh('PERMISSIVE')], []],
    ['a namespace is strict by itself', [ofNamespace('STRICT')], [STATIC]],
    ['a namespace opens what the mesh closes', [ofMesh('STRICT'), ofNamespace('PERMISSIVE')], []],
    ['DISABLE opens too', [ofMesh('STRICT'), ofNamespace('DISABLE')], []],
    ['UNSET lets the mesh shine through', [ofMesh('STRICT'), ofNamespace('UNSET')], [STATIC]],
    [
      'of several for a namespace the oldest counts',
      [ofNamespace('STRICT', 2), ofNamespace('DISABLE', 1)],
      [],
    ],
    ['of several for the mesh the oldest counts', [ofMesh('DISABLE', 2), ofMesh('STRICT', 1)], [STATIC]],
    ['an oldest UNSET hides a younger STRICT', [ofNamespace('UNSET', 1), ofNamespace('STRICT', 2)], []],
    ['a workload is strict', [own('STRICT')], [STATIC]],
    ['a workload opens itself', [ofMesh('STRICT'), own('PERMISSIVE')], []],
    ['a workload inherits', [ofNamespace('STRICT'), own('UNSET')], [STATIC]],
    [
      'of several for a workload the oldest counts',
      [own('STRICT', {}, 2), own('DISABLE', {}, 1, 'other')],
      [],
    ],
    ['a mode that cannot be read counts as STRICT', [ofNamespace('STRCT')], [STATIC]],
    ['strict ports say nothing new under STRICT', [own('STRICT', { 80: 'STRICT', 81: 'UNSET' })], [STATIC]],
    [
      'open ports under STRICT',
      [own('STRICT', { 80: 'PERMISSIVE', 81: 'DISABLE', 82: 'STRICT' })],
      [OWN],
      [[noIdentity, notPort(80), notPort(81)]],
    ],
    [
      'the inherited mode is merged in as well',
      [ofMesh('STRICT'), own('STRICT', { 80: 'DISABLE' })],
      [OWN],
      [[noIdentity, notPort(80), noIdentity]],
    ],
    [
      'an open port under an inherited STRICT',
      [ofNamespace('STRICT'), own('UNSET', { 80: 'PERMISSIVE', 81: 'DISABLE' })],
      [OWN],
      [[notPort(80), notPort(81), noIdentity]],
    ],
    [
      'DISABLE alone opens no port of an inherited STRICT, though a policy is made',
      [ofMesh('STRICT'), own(undefined, { 80: 'DISABLE' })],
      [STATIC],
      [[notPort(80), noIdentity]],
    ],
    [
      'strict ports of an open workload',
      [own('PERMISSIVE', { 81: 'STRICT', 80: 'STRICT', 82: 'DISABLE' })],
      [OWN],
      [[strictPort(80)], [strictPort(81)]],
    ],
    [
      'strict ports under nothing inherited',
      [own('UNSET', { 80: 'STRICT', 81: 'PERMISSIVE' })],
      [OWN],
      [[strictPort(80)]],
    ],
    ['open ports of an open workload say nothing', [own('DISABLE', { 80: 'PERMISSIVE' })], []],
    [
      'a port that is none has no meaning',
      [own('STRICT', { http: 'PERMISSIVE', 0: 'PERMISSIVE', 70000: 'PERMISSIVE' })],
      [STATIC],
    ],
  ];
  for (const [name, policies, keys, rules] of cases)
    it(name, () => {
      expect(outcome(...policies)).to.deep.equal({ keys, rules });
    });
});

describe('mTLS modes where Istio lets plaintext in', () => {
  it('mesh STRICT, namespace UNSET, workload UNSET with an open port: the rest stays closed', () => {
    const { keys, rules } = outcome(
      ofMesh('STRICT'),
      ofNamespace('UNSET'),
      own('UNSET', { 80: 'PERMISSIVE' }),
    );
    expect({ keys, rules }).to.deep.equal({ keys: [OWN], rules: [[notPort(80), noIdentity]] });
  });

  it('mesh STRICT, workload PERMISSIVE with a strict port: the port is closed', () => {
    const { keys, rules } = outcome(ofMesh('STRICT'), own('PERMISSIVE', { 80: 'STRICT' }));
    expect({ keys, rules }).to.deep.equal({ keys: [OWN], rules: [[strictPort(80)]] });
  });

  it('an empty selector is for the namespace', () => {
    const policy = peerAuthentication({ selector: {}, mtls: { mode: 'STRICT' } });
    expect(outcome(policy).keys).to.deep.equal([STATIC]);
  });
});

describe('PeerAuthentication of the root namespace', () => {
  const rooted = peerAuthentication(
    { selector, mtls: { mode: 'STRICT' }, portLevelMtls: { 80: { mode: 'DISABLE' } } },
    { name: 'own', namespace: 'istio-system' },
  );

  it('has no effect with a selector, there or elsewhere', () => {
    const cluster = new MemoryCluster([rooted]);
    for (const namespace of ['app', 'istio-system'])
      expect(
        peerAuthenticationKeys({ namespace, labels: selector.matchLabels }, cluster, mesh),
      ).to.deep.equal([]);
    expect([...translatePeerAuthentication(rooted, cluster, mesh).policies.keys()]).to.deep.equal([STATIC]);
  });

  it('is the mode of workloads there too', () => {
    const cluster = new MemoryCluster([ofMesh('STRICT')]);
    expect(
      peerAuthenticationKeys({ namespace: 'istio-system', labels: undefined }, cluster, mesh),
    ).to.deep.equal([STATIC]);
  });
});

describe('the static policy', () => {
  it('comes with any PeerAuthentication, even a permissive one', () => {
    const policy = ofNamespace('PERMISSIVE');
    const { policies } = translatePeerAuthentication(policy, new MemoryCluster([policy]), mesh);
    expect(staticStrictKey(mesh)).to.equal(STATIC);
    expect([...policies]).to.deep.equal([
      [
        STATIC,
        {
          name: 'istio_converted_static_strict',
          namespace: 'istio-system',
          scope: Scope.WORKLOAD_SELECTOR,
          action: Action.DENY,
          rules: [{ clauses: [{ matches: noIdentity }] }],
        },
      ],
    ]);
  });
});

describe('every policy that a workload refers to is sent', () => {
  const modes = [undefined, 'UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT', 'BROKEN'];
  const parents = [undefined, 'UNSET', 'PERMISSIVE', 'STRICT'];
  it('whatever the modes of mesh, namespace, workload and two ports', () => {
    for (const meshMode of parents)
      for (const namespaceMode of parents)
        for (const mode of modes)
          for (const first of modes)
            for (const second of modes) {
              const ports = Object.entries({ 80: first, 81: second }).flatMap(([port, m]) =>
                m === undefined ? [] : [[port, m]],
              );
              const policies = [
                ...(meshMode === undefined ? [] : [ofMesh(meshMode)]),
                ...(namespaceMode === undefined ? [] : [ofNamespace(namespaceMode)]),
                own(mode, Object.fromEntries(ports) as Record<string, string>),
              ];
              const cluster = new MemoryCluster(policies);
              const sent = new Set(
                policies.flatMap((policy) => [
                  ...translatePeerAuthentication(policy, cluster, mesh).policies.keys(),
                ]),
              );
              const keys = peerAuthenticationKeys(
                { namespace: 'app', labels: { app: 'web' } },
                cluster,
                mesh,
              );
              expect([...sent], JSON.stringify(policies.map(({ spec }) => spec))).to.include.members(keys);
            }
  });
});
