import { expect } from 'chai';

import { serviceObject } from '../cluster/objects.test-data.ts';
import { fieldManagers } from '../status/condition.ts';
import type { StatusApply } from '../status/condition.ts';
import { emptyStore, put, RecordingQueue, report } from './leader.test-data.ts';
import { parentsUpdate } from '../status/route-parents.ts';
import { readMeshParent } from '../translate/route-parent.ts';
import { routeNamed } from '../translate/translate.test-data.ts';
import { StatusWriter } from './status-writer.ts';

function apply(kind: string, name: string, fieldManager: string): StatusApply {
  const conditions = [{ type: 'T', status: 'True' }];
  return {
    fieldManager,
    body: { apiVersion: 'v1', kind, metadata: { name, namespace: 'a' }, status: { conditions } },
  };
}

describe('status writer', () => {
  const path = '/api/v1/namespaces/a/services/web';

  it('submits what is to be said, with the object as it is known', () => {
    const [store, queue] = [emptyStore(), new RecordingQueue()];
    const service = serviceObject('a', 'web', 'web');
    put(store, service);
    const found = apply('Service', 'web', fieldManagers.service);
    new StatusWriter(store, queue.queue).take(report('Service', 'a/web', [{ kind: 'status', apply: found }]));
    expect(queue.take()).to.deep.equal([`submit ${path} istio-ambient-service`]);
    expect(queue.requests[0]).to.include({ subresource: 'status', observed: service });
    expect(queue.requests[0]?.body).to.deep.equal(found.body);
  });

  it('takes back what holds no more, for each of the managers of a kind', () => {
    const [store, queue] = [emptyStore(), new RecordingQueue()];
    const metadata = { name: 'p', namespace: 'a', uid: 'p' };
    put(store, { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata });
    const writer = new StatusWriter(store, queue.queue);
    const found = apply('AuthorizationPolicy', 'p', fieldManagers.waypointPolicy);
    writer.take(report('AuthorizationPolicy', 'a/p', [{ kind: 'status', apply: found }]));
    const policies = '/apis/security.istio.io/v1/namespaces/a/authorizationpolicies/p';
    expect(queue.take()[0]).to.equal(`withdraw ${policies} istio-ambient-ztunnel-policy`);
    writer.take(report('AuthorizationPolicy', 'a/p', []));
    expect(queue.take()).to.deep.equal([
      `withdraw ${policies} istio-ambient-ztunnel-policy`,
      `withdraw ${policies} istio-ambient-waypoint-policy`,
    ]);
  });

  it('submits what is to be said of a route as a part of a list, which is made anew from what others wrote', () => {
    const [store, queue] = [emptyStore(), new RecordingQueue()];
    const route = routeNamed('HTTPRoute', 'r', {});
    put(store, route);
    const web = readMeshParent({ group: '', kind: 'Service', name: 'web' }, 'ns')!;
    const conditions = [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }] as const;
    const update = parentsUpdate(route, [{ parent: web, conditions }], '2026-01-01T00:00:00Z')!;
    const writer = new StatusWriter(store, queue.queue);
    writer.take(report('HTTPRoute', 'ns/r', [{ kind: 'parents', update }]));
    const routes = '/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes/r';
    expect(queue.take()).to.deep.equal([`submit ${routes} ambient-routes`]);
    const [request] = queue.requests;
    expect(request).to.deep.include({ subresource: 'status', body: update.body });
    const foreign = { controllerName: 'example.com/other' };
    const changed = { ...route, metadata: { ...route.metadata, resourceVersion: '8' } };
    const revised = request?.revise?.({ ...changed, status: { parents: [foreign] } });
    expect(revised).to.deep.equal({
      ...update.body,
      metadata: { name: 'r', namespace: 'ns', resourceVersion: '8' },
      status: { parents: [foreign, ...update.body.status.parents] },
    });
    writer.take(report('HTTPRoute', 'ns/r', []));
    expect(queue.take()).to.deep.equal([`withdraw ${routes} ambient-routes`]);
  });

  it('says nothing of what is gone, and of kinds whose status is none of its business', () => {
    const [store, queue] = [emptyStore(), new RecordingQueue()];
    const writer = new StatusWriter(store, queue.queue);
    const found = apply('Service', 'web', fieldManagers.service);
    writer.take(report('Service', 'a/web', [{ kind: 'status', apply: found }]));
    writer.take(report('Pod', 'a/web', []));
    writer.take(report(undefined, '', []));
    expect(queue.take()).to.deep.equal([]);
  });
});
