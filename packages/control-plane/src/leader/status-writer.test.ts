import { expect } from 'chai';

import { serviceObject } from '../cluster/objects.test-data.ts';
import { fieldManagers } from '../status/condition.ts';
import type { StatusApply } from '../status/condition.ts';
import { emptyStore, put, RecordingQueue, report } from './leader.test-data.ts';
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
