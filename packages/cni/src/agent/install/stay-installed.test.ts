import { expect } from 'chai';
import type { Node } from '@ambient/kube';
import { KubeClient } from '@ambient/kube';
import { FakeApi, json, refuse } from '@ambient/kube/testing';
import type { DaemonSet } from '../cluster/resources.ts';
import { decideStay } from './stay-installed.ts';

const node = (labels: Record<string, string>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', uid: 'n', labels },
});

function daemonSet(spec: object = {}, metadata: object = {}): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'istio-cni-node', uid: 'd', ...metadata },
    spec: { template: { spec } },
  };
}

describe('whether what is installed stays', () => {
  let api: FakeApi;
  const DAEMON_SET = '/apis/apps/v1/namespaces/istio-system/daemonsets/istio-cni-node';

  beforeEach(async () => {
    api = await FakeApi.start();
    api.routes.set('/api/v1/nodes/n1', (_, response) => json(response, 200, node({})));
  });
  afterEach(() => api[Symbol.asyncDispose]());

  async function decide(ownConfig = false): Promise<boolean> {
    using connection = api.connection();
    const client = new KubeClient(connection);
    const question = { client, namespace: 'istio-system', nodeName: 'n1', ownConfig, timeoutMs: 1000 };
    return (await decideStay(question)).stay;
  }

  it('it does while the DaemonSet is there', async () => {
    api.routes.set(DAEMON_SET, (_, response) => json(response, 200, daemonSet()));
    expect(await decide()).to.equal(true);
  });

  it('not when that is being deleted, is gone, or is for other nodes', async () => {
    api.routes.set(DAEMON_SET, (_, response) =>
      json(response, 200, daemonSet({}, { deletionTimestamp: 'now' })),
    );
    expect(await decide()).to.equal(false);
    api.routes.set(DAEMON_SET, refuse(404, 'NotFound'));
    expect(await decide(true)).to.equal(false);
    api.routes.set(DAEMON_SET, (_, response) => json(response, 200, daemonSet({ nodeSelector: { a: 'b' } })));
    expect(await decide()).to.equal(false);
  });

  it('the mesh leaves with the DaemonSet only, not with a node or a node selector', async () => {
    using connection = api.connection();
    const client = new KubeClient(connection);
    const question = {
      client,
      namespace: 'istio-system',
      nodeName: 'n1',
      ownConfig: false,
      timeoutMs: 1000,
    };
    api.routes.set(DAEMON_SET, refuse(404, 'NotFound'));
    expect(await decideStay(question)).to.include({ meshLeaves: true });
    api.routes.set(DAEMON_SET, (_, response) =>
      json(response, 200, daemonSet({}, { deletionTimestamp: 'now' })),
    );
    expect(await decideStay(question)).to.include({ meshLeaves: true });
    api.routes.set(DAEMON_SET, (_, response) => json(response, 200, daemonSet({ nodeSelector: { a: 'b' } })));
    expect(await decideStay(question)).to.include({ stay: false, meshLeaves: false });
    api.routes.set('/api/v1/nodes/n1', refuse(404, 'NotFound'));
    expect(await decideStay(question)).to.include({ stay: false, meshLeaves: false });
    api.routes.set(DAEMON_SET, refuse(401, 'Unauthorized'));
    expect(await decideStay(question)).to.include({ stay: false, meshLeaves: false });
  });

  it('with a configuration of our own also when the API server fails', async () => {
    api.routes.set(DAEMON_SET, refuse(500, 'InternalError'));
    expect(await decide()).to.equal(false);
    expect(await decide(true)).to.equal(true);
  });

  it('not when its account is gone, also with a configuration of our own', async () => {
    api.routes.set(DAEMON_SET, refuse(401, 'Unauthorized'));
    expect(await decide(true)).to.equal(false);
  });

  it('goes by required affinity too', async () => {
    const byName = (name: string): object => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
          },
        },
      },
    });
    api.routes.set(DAEMON_SET, (_, response) => json(response, 200, daemonSet(byName('n1'))));
    expect(await decide()).to.equal(true);
    api.routes.set(DAEMON_SET, (_, response) => json(response, 200, daemonSet(byName('n2'))));
    expect(await decide(true)).to.equal(false);
  });
});
