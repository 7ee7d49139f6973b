import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import { KubeClient, kindNames } from '@ambient/kube';
import { ClusterWatch } from './cluster-watch.ts';
import { FakeApi, json, refuse, settled, testLog, until } from '@ambient/kube/testing';
import type { FakeObject } from '@ambient/kube/testing';
import type { KindName, KubeObject } from '@ambient/kube';

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const policies = (version: string): string => `/apis/security.istio.io/${version}/authorizationpolicies`;

function crd(versions: Record<string, boolean>, established = true): FakeObject {
  return {
    metadata: { name: 'authorizationpolicies.security.istio.io' },
    spec: {
      group: 'security.istio.io',
      versions: Object.entries(versions).map(([name, served]) => ({ name, served })),
    },
    status: { conditions: [{ type: 'Established', status: established ? 'True' : 'False' }] },
  };
}

const object = (name: string): FakeObject => ({ metadata: { name, namespace: 'n', uid: name } });

describe('ClusterWatch', () => {
  let api: FakeApi;
  beforeEach(async () => {
    api = await FakeApi.start();
    api.serve('/api/v1/namespaces', '/api/v1/nodes', '/api/v1/pods', '/api/v1/services');
    api.serve('/api/v1/namespaces/istio-system/configmaps', '/apis/discovery.k8s.io/v1/endpointslices', crds);
  });
  afterEach(() => api[Symbol.asyncDispose]());

  function follow() {
    const connection = api.connection();
    const clock = new ManualClock();
    const objects = new Map<KindName, Map<string, KubeObject>>(kindNames.map((kind) => [kind, new Map()]));
    let synced = 0;
    const watch = new ClusterWatch({
      client: new KubeClient(connection),
      clock,
      log: testLog(),
      configMap: { namespace: 'istio-system', name: 'istio' },
      target: (kind) => {
        const kept = objects.get(kind)! as Map<string, never>;
        return {
          get: (key) => kept.get(key),
          keys: () => [...kept.keys()],
          put: (key, o) => void kept.set(key, o as never),
          remove: (key) => void kept.delete(key),
        };
      },
      onSynced: () => synced++,
    });
    watch.start();
    return {
      watch,
      clock,
      synced: () => synced,
      policies: () =>
        [...objects.get('AuthorizationPolicy')!.values()].map(
          (o) => `${o.apiVersion} ${o.kind} ${o.metadata.name}`,
        ),
      count: (kind: KindName) => objects.get(kind)!.size,
      [Symbol.asyncDispose]: async () => {
        await watch.stop();
        connection[Symbol.dispose]();
        expect(clock.pendingTimers).equal(0);
      },
    };
  }

  it('is synced without any CRD, and follows one ConfigMap only', async () => {
    api.put('/api/v1/pods', object('p'));
    await using cluster = follow();
    await until(() => cluster.watch.synced);
    expect([cluster.synced(), cluster.count('Pod')]).deep.equal([1, 1]);
    expect(api.log).include(
      'GET /api/v1/namespaces/istio-system/configmaps?fieldSelector=metadata.name%3Distio&limit=500',
    );
    expect(cluster.watch.states().find(({ kind }) => kind === 'Gateway')).deep.equal({
      kind: 'Gateway',
      apiVersion: '',
    });
  });

  it('picks up a CRD when it is established, in the best version, and drops its objects when it goes', async () => {
    api.put(crds, crd({ v1: true, v1beta1: true }, false));
    for (const version of ['v1', 'v1beta1']) api.put(policies(version), object(version));
    await using cluster = follow();
    await until(() => cluster.watch.synced);
    expect(api.log.filter((line) => line.includes('authorizationpolicies'))).deep.equal([]);
    api.put(crds, crd({ v1: true, v1beta1: true }));
    await until(() => cluster.policies().length > 0);
    expect(cluster.policies()).deep.equal(['security.istio.io/v1 AuthorizationPolicy v1']);
    api.remove(crds, '/authorizationpolicies.security.istio.io');
    await until(() => cluster.policies().length === 0);
    expect(api.log.filter((line) => line.includes('v1beta1'))).deep.equal([]);
  });

  it('goes over to another version when the best one is served no more, without losing an object between', async () => {
    api.put(crds, crd({ v1: true, v1beta1: true }));
    for (const version of ['v1', 'v1beta1']) api.put(policies(version), object('same'));
    await using cluster = follow();
    await until(() => cluster.policies().length > 0);
    let least = 1;
    api.put(crds, crd({ v1: false, v1beta1: true }));
    await until(() => {
      least = Math.min(least, cluster.policies().length);
      return cluster.policies()[0]?.startsWith('security.istio.io/v1beta1') === true;
    });
    expect(least).equal(1);
  });

  it('is not synced while a kind that is served cannot be listed', async () => {
    api.put(crds, crd({ v1: true }));
    api.routes.set(policies('v1'), refuse(403, 'Forbidden'));
    await using cluster = follow();
    await api.requests(policies('v1'), 1);
    await until(() => cluster.watch.states().some(({ reflector }) => reflector?.failures === 1));
    await settled(10);
    expect(cluster.watch.synced).equal(false);
    api.routes.clear();
    api.put(policies('v1'), object('p'));
    await until(() => {
      cluster.clock.advance(100);
      return cluster.watch.synced;
    });
    expect(cluster.policies().length).equal(1);
  });

  it('asks discovery where CustomResourceDefinitions may not be listed', async () => {
    api.routes.set(crds, refuse(403, 'Forbidden'));
    await using cluster = follow();
    await until(() => cluster.watch.synced);
    api.put(policies('v1'), object('p'));
    api.routes.set('/apis/security.istio.io/v1', (_, response) =>
      json(response, 200, { resources: [{ name: 'authorizationpolicies' }] }),
    );
    await until(() => {
      cluster.clock.advance(500);
      return cluster.policies().length === 1;
    });
    api.routes.delete('/apis/security.istio.io/v1');
    await until(() => {
      cluster.clock.advance(500);
      return cluster.policies().length === 0;
    });
  });
});
