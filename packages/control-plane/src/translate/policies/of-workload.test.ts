import { istio } from '@ambient/wire';
import { expect } from 'chai';
import { MemoryCluster } from '../../cluster/memory-cluster.test-data.ts';
import type { Gateway, KubeObject } from '@ambient/kube';
import { authorizationPolicy, mesh, peerAuthentication, pod } from './objects.test-data.ts';
import { policiesOf } from './of-workload.ts';
import { translateWaypointPolicy } from './waypoint-policy.ts';

const web = { matchLabels: { app: 'web' } };
const workload = { namespace: 'app', labels: { app: 'web', tier: 'front' } };

function keysOf(
  objects: KubeObject[],
  subject = workload as Parameters<typeof policiesOf>[0],
  settings = mesh,
): string[] {
  return policiesOf(subject, new MemoryCluster(objects), settings);
}

describe('policies named on a workload', () => {
  const cases: [string, KubeObject[], string[]][] = [
    ['those whose selector its labels satisfy', [authorizationPolicy({ selector: web })], ['app/p']],
    [
      'a selector of several labels needs them all',
      [authorizationPolicy({ selector: { matchLabels: { app: 'web', tier: 'back' } } })],
      [],
    ],
    ['none of another namespace', [authorizationPolicy({ selector: web }, { namespace: 'other' })], []],
    [
      'those of the root namespace',
      [authorizationPolicy({ selector: web }, { namespace: 'istio-system' })],
      ['istio-system/p'],
    ],
    [
      'none without a selector',
      [authorizationPolicy({}), authorizationPolicy({}, { namespace: 'istio-system' })],
      [],
    ],
    ['none with an empty selector', [authorizationPolicy({ selector: {} })], []],
    [
      'none for waypoints',
      [authorizationPolicy({ selector: web, targetRefs: [{ kind: 'Gateway', name: 'w' }] })],
      [],
    ],
    ['none that ztunnel cannot enforce', [authorizationPolicy({ selector: web, action: 'AUDIT' })], []],
    [
      'no dry run',
      [authorizationPolicy({ selector: web }, { annotations: { 'istio.io/dry-run': 'true' } })],
      [],
    ],
    [
      'sorted, and the mTLS mode last',
      [
        peerAuthentication({ mtls: { mode: 'STRICT' } }),
        authorizationPolicy({ selector: web }, { name: 'z' }),
        authorizationPolicy({ selector: web }, { name: 'b', namespace: 'istio-system' }),
        authorizationPolicy({ selector: web }, { name: 'a' }),
      ],
      ['app/a', 'app/z', 'istio-system/b', 'istio-system/istio_converted_static_strict'],
    ],
  ];
  for (const [name, objects, keys] of cases)
    it(name, () => {
      expect(keysOf(objects)).to.deep.equal(keys);
      expect(keysOf(objects.toReversed()), 'in any order of the objects').to.deep.equal(keys);
    });

  it('a dry run where the mesh sends them', () => {
    const policy = authorizationPolicy({ selector: web }, { annotations: { 'istio.io/dry-run': 'true' } });
    expect(keysOf([policy], workload, { ...mesh, dryRunPolicies: true })).to.deep.equal(['app/p']);
  });

  it('a workload without labels takes none, where Istio gives it all', () => {
    const objects = [
      authorizationPolicy({ selector: web }),
      peerAuthentication({ selector: web, mtls: { mode: 'STRICT' } }),
    ];
    expect(keysOf(objects, { namespace: 'app', labels: undefined })).to.deep.equal([]);
    expect(keysOf(objects, { namespace: 'app', labels: {} })).to.deep.equal([]);
  });

  it('a policy of the root namespace is named once on a workload there', () => {
    const policy = authorizationPolicy({ selector: web }, { namespace: 'istio-system' });
    expect(keysOf([policy], { namespace: 'istio-system', labels: { app: 'web' } })).to.deep.equal([
      'istio-system/p',
    ]);
  });
});

describe('policies that let waypoints through', () => {
  const settings = { ...mesh, autoAllowWaypoint: true };
  const gateway = (addresses: { value: string }[]): Gateway => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'w', namespace: 'gw', uid: 'w' },
    status: { addresses },
  });
  const ready = gateway([{ value: '10.0.0.9' }]);
  const labels = { 'gateway.networking.k8s.io/gateway-name': 'w' };
  const pods = [pod('w-1', 'gw', labels, 'z'), pod('w-2', 'gw', labels, 'a'), pod('w-3', 'gw', labels, 'a')];
  const behind = { ...workload, waypoints: [{ namespace: 'gw', name: 'w' }] };
  const key = 'gw/istio_allow_waypoint_gw_w';

  it('name the accounts of its pods, and stand on the workloads behind it', () => {
    const cluster = new MemoryCluster([ready, ...pods]);
    const { Action, Scope } = istio.security;
    expect(translateWaypointPolicy(ready, cluster, settings)).to.deep.equal({
      name: key,
      authorization: {
        name: 'istio_allow_waypoint_gw_w',
        namespace: 'gw',
        scope: Scope.WORKLOAD_SELECTOR,
        action: Action.ALLOW,
        rules: [
          {
            clauses: [
              {
                matches: [
                  {
                    principals: [
                      { exact: 'cluster.local/ns/gw/sa/a' },
                      { exact: 'cluster.local/ns/gw/sa/z' },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    });
    expect(keysOf([ready, ...pods], behind, settings)).to.deep.equal([key]);
  });

  it('are none without the setting, without pods, without an address', () => {
    expect(translateWaypointPolicy(ready, new MemoryCluster(pods), mesh)).to.equal(undefined);
    expect(translateWaypointPolicy(ready, new MemoryCluster(), settings)).to.equal(undefined);
    expect(translateWaypointPolicy(gateway([]), new MemoryCluster(pods), settings)).to.equal(undefined);
    expect(keysOf([ready, ...pods], behind)).to.deep.equal([]);
    expect(keysOf([ready], behind, settings)).to.deep.equal([]);
  });
});
