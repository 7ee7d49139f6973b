import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { LabApi } from './lab-api.ts';
import { valueAt } from './object.ts';
import type { JsonObject } from './object.ts';
import { TestClient } from './test-client.test-data.ts';

const configMap = (name: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
});
const maps = '/api/v1/namespaces/default/configmaps';

const teapots: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'teapots.kitchen.example' },
  spec: {
    group: 'kitchen.example',
    scope: 'Namespaced',
    names: { plural: 'teapots', kind: 'Teapot', shortNames: ['tp'] },
    versions: ['v1', 'v1beta1'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            spec: {
              type: 'object',
              required: ['cups'],
              properties: { cups: { type: 'integer' }, colour: { type: 'string', default: 'white' } },
            },
            status: { type: 'object', properties: { hot: { type: 'boolean' } } },
          },
        },
      },
      subresources: { status: {} },
      additionalPrinterColumns: [{ name: 'Cups', type: 'integer', jsonPath: '.spec.cups' }],
    })),
  },
};
const pots = '/apis/kitchen.example/v1/namespaces/default/teapots';

describe('LabApi', () => {
  let api: LabApi;
  let client: TestClient;
  const faults: unknown[] = [];

  beforeEach(async () => {
    api = await LabApi.start({
      host: '127.0.0.1',
      port: 0,
      watchHistory: 4,
      onFault: (each) => faults.push(each),
    });
    client = new TestClient(api, api.kubeconfig);
  });
  afterEach(async () => {
    client[Symbol.dispose]();
    await api.stop();
    expect(faults).to.deep.equal([]);
  });

  it('answers health and version to anyone, and nothing else', async () => {
    const { clusters } = JSON.parse(api.kubeconfig) as { clusters: unknown[] };
    using anyone = new TestClient(api, JSON.stringify({ clusters, users: [{ user: {} }] }));
    expect((await anyone.get('/readyz')).code).to.equal(200);
    expect((await anyone.get('/version')).body['major']).to.equal('1');
    expect((await anyone.get(maps)).code).to.equal(401);
    using forged = new TestClient(api, JSON.stringify({ clusters, users: [{ user: { token: 'a.b.c' } }] }));
    expect((await forged.get(maps)).code).to.equal(401);
  });

  it('knows the holder of a service account token, until the account is gone', async () => {
    using holder = new TestClient(api, api.kubeconfigForServiceAccount('default', 'default'));
    const self = await holder.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
    expect(valueAt(self.body, ['status', 'userInfo', 'username'])).to.equal(
      'system:serviceaccount:default:default',
    );
    await client.send('DELETE', '/api/v1/namespaces/default/serviceaccounts/default');
    expect((await holder.get(maps)).code).to.equal(401);
  });

  it('refuses the second of two writers who read the same version', async () => {
    const made = await client.send('POST', maps, configMap('a'));
    expect(made.code).to.equal(201);
    const first = { ...made.body, data: { by: 'first' } };
    expect((await client.send('PUT', `${maps}/a`, first)).code).to.equal(200);
    const second = await client.send('PUT', `${maps}/a`, { ...made.body, data: { by: 'second' } });
    expect(second.code).to.equal(409);
    expect(second.body['reason']).to.equal('Conflict');
  });

  it('changes nothing and wakes no watch when a write says what is there already', async () => {
    const made = await client.send('POST', maps, configMap('a'));
    const again = await client.send('PUT', `${maps}/a`, made.body);
    expect(valueAt(again.body, ['metadata', 'resourceVersion'])).to.equal(
      valueAt(made.body, ['metadata', 'resourceVersion']),
    );
  });

  it('keeps a dry run to itself', async () => {
    expect((await client.send('POST', `${maps}?dryRun=All`, configMap('a'))).code).to.equal(201);
    expect((await client.get(`${maps}/a`)).code).to.equal(404);
  });

  it('pages through the moment of the first page, whatever happens meanwhile', async () => {
    for (const name of ['a', 'b', 'c']) await client.send('POST', maps, configMap(name));
    const first = await client.get(`${maps}?limit=2`);
    const token = String(valueAt(first.body, ['metadata', 'continue']));
    await client.send('DELETE', `${maps}/c`);
    const second = await client.get(`${maps}?limit=2&continue=${token}`);
    expect(
      (second.body['items'] as JsonObject[]).map((item) => valueAt(item, ['metadata', 'name'])),
    ).to.deep.equal(['c']);
    expect(valueAt(second.body, ['metadata', 'continue'])).to.equal(undefined);
    expect((await client.get(`${maps}?continue=nonsense`)).code).to.equal(400);
  });

  it('tells a watch of what came, changed and went, and of what its selector lost', async () => {
    const { body } = await client.get(maps);
    const from = String(valueAt(body, ['metadata', 'resourceVersion']));
    await using watch = await client.watch(`${maps}?watch=1&resourceVersion=${from}&labelSelector=on%3Dyes`);
    await client.send('POST', maps, configMap('a', { labels: { on: 'yes' } }));
    await client.send(
      'PATCH',
      `${maps}/a`,
      { data: { k: 'v' } },
      { 'content-type': 'application/merge-patch+json' },
    );
    await client.send(
      'PATCH',
      `${maps}/a`,
      { metadata: { labels: { on: 'no' } } },
      { 'content-type': 'application/merge-patch+json' },
    );
    const types = [await watch.next(), await watch.next(), await watch.next()].map((event) => event?.type);
    expect(types).to.deep.equal(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('ends the initial events of a watch list with a bookmark that says so', async () => {
    await client.send('POST', maps, configMap('a'));
    await using watch = await client.watch(
      `${maps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    expect((await watch.next())?.type).to.equal('ADDED');
    const bookmark = await watch.next();
    expect(bookmark?.type).to.equal('BOOKMARK');
    expect(valueAt(bookmark?.object, ['metadata', 'annotations', 'k8s.io/initial-events-end'])).to.equal(
      'true',
    );
  });

  it('answers a watch from a forgotten version with 410, so that its client lists again', async () => {
    const { body } = await client.get(maps);
    const from = String(valueAt(body, ['metadata', 'resourceVersion']));
    for (let i = 0; i < 10; i++) await client.send('POST', maps, configMap(`m${i}`));
    await using watch = await client.watch(`${maps}?watch=1&resourceVersion=${from}`);
    const event = await watch.next();
    expect(event?.type).to.equal('ERROR');
    expect(event?.object['code']).to.equal(410);
    expect(await watch.next()).to.equal(undefined);
  });

  it('serves a custom resource in all its versions as soon as its definition is stored, and no longer than that', async () => {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    const crd = await client.send('POST', definitions, teapots);
    const conditions = valueAt(crd.body, ['status', 'conditions']) as JsonObject[];
    expect(conditions.some((each) => each['type'] === 'Established' && each['status'] === 'True')).to.equal(
      true,
    );

    const pot = {
      kind: 'Teapot',
      metadata: { name: 'p' },
      spec: { cups: 4, lid: true },
      status: { hot: true },
    };
    const made = await client.send('POST', pots, pot);
    expect(made.headers['warning']).to.contain('spec.lid');
    expect(made.body['spec']).to.deep.equal({ cups: 4, colour: 'white' });
    expect(made.body['status']).to.equal(undefined);
    const old = await client.get(`${pots.replace('v1', 'v1beta1')}/p`);
    expect(old.body['apiVersion']).to.equal('kitchen.example/v1beta1');

    const strict = await client.send('POST', `${pots}?fieldValidation=Strict`, {
      ...pot,
      metadata: { name: 'q' },
    });
    expect(strict.code).to.equal(400);
    const bad = await client.send('POST', pots, { metadata: { name: 'q' }, spec: { colour: 'red' } });
    expect(bad.code).to.equal(422);
    expect(bad.body['message']).to.contain('spec.cups: Required value');
    const statused = await client.send('PUT', `${pots}/p/status`, {
      ...made.body,
      spec: { cups: 9 },
      status: { hot: true },
    });
    expect(valueAt(statused.body, ['spec', 'cups'])).to.equal(4);
    expect(valueAt(statused.body, ['metadata', 'generation'])).to.equal(1);
    expect(valueAt(statused.body, ['status', 'hot'])).to.equal(true);

    const table = await client.get(pots, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect((table.body['rows'] as JsonObject[])[0]?.['cells']).to.deep.equal(['p', 4]);

    await using watch = await client.watch(`${pots}?watch=1`);
    expect((await watch.next())?.type).to.equal('ADDED');
    await client.send('DELETE', `${definitions}/teapots.kitchen.example`);
    expect((await watch.next())?.type).to.equal('DELETED');
    expect(await watch.next()).to.equal(undefined);
    expect((await client.get(pots)).code).to.equal(404);
  });

  it('gives Services addresses, and refuses one that is taken', async () => {
    const services = '/api/v1/namespaces/default/services';
    const service = (name: string, spec: JsonObject): JsonObject => ({
      metadata: { name },
      spec: { ports: [{ port: 80 }], selector: { app: 'a' }, ...spec },
    });
    const first = await client.send('POST', services, service('a', {}));
    const address = valueAt(first.body, ['spec', 'clusterIP']);
    expect(address).to.match(/^10\.96\./);
    const taken = await client.send('POST', services, service('b', { clusterIP: address }));
    expect(taken.code).to.equal(422);
    const dual = await client.send('POST', services, service('c', { ipFamilyPolicy: 'PreferDualStack' }));
    expect(valueAt(dual.body, ['spec', 'ipFamilies'])).to.deep.equal(['IPv4', 'IPv6']);
    expect(valueAt(dual.body, ['spec', 'clusterIPs'])).to.have.length(2);
    const open = await client.send('POST', services, {
      metadata: { name: 'd' },
      spec: { clusterIP: 'None', ports: [{ port: 1 }] },
    });
    expect(valueAt(open.body, ['spec', 'ipFamilies'])).to.deep.equal(['IPv4', 'IPv6']);
    await client.send('DELETE', `${services}/a`);
    expect((await client.send('POST', services, service('b', { clusterIP: address }))).code).to.equal(201);
  });

  it('keeps an object with a finalizer until somebody takes the finalizer away', async () => {
    await client.send('POST', maps, configMap('a', { finalizers: ['x.example/hold'] }));
    const deleted = await client.send('DELETE', `${maps}/a`);
    expect(valueAt(deleted.body, ['metadata', 'deletionTimestamp'])).to.be.a('string');
    const late = await client.send(
      'PATCH',
      `${maps}/a`,
      { metadata: { finalizers: ['y.example/late', 'x.example/hold'] } },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect(valueAt(late.body, ['metadata', 'finalizers'])).to.deep.equal(['x.example/hold']);
    await client.send(
      'PATCH',
      `${maps}/a`,
      { metadata: { finalizers: null } },
      { 'content-type': 'application/merge-patch+json' },
    );
    expect((await client.get(`${maps}/a`)).code).to.equal(404);
  });

  it('deletes what a deleted object owned, and what is in a deleted namespace', async () => {
    await client.send('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
    const inShop = '/api/v1/namespaces/shop/configmaps';
    const owner = await client.send('POST', inShop, configMap('owner'));
    const uid = valueAt(owner.body, ['metadata', 'uid']);
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
    await using watch = await client.watch(`${inShop}?watch=1&fieldSelector=metadata.name%3Downed`);
    await client.send('POST', inShop, configMap('owned', { ownerReferences }));
    expect((await watch.next())?.type).to.equal('ADDED');
    await client.send('DELETE', `${inShop}/owner`);
    expect((await watch.next())?.type).to.equal('DELETED');

    await client.send('POST', inShop, configMap('last', { finalizers: ['x.example/hold'] }));
    await using namespaces = await client.watch(
      '/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dshop',
    );
    expect((await namespaces.next())?.type).to.equal('ADDED');
    await client.send('DELETE', '/api/v1/namespaces/shop');
    expect(valueAt((await namespaces.next())?.object, ['status', 'phase'])).to.equal('Terminating');
    const late = await client.send('POST', inShop, configMap('late'));
    expect(late.code).to.equal(403);
    await client.send(
      'PATCH',
      `${inShop}/last`,
      { metadata: { finalizers: null } },
      { 'content-type': 'application/merge-patch+json' },
    );
    let event = await namespaces.next();
    while (event?.type === 'MODIFIED') event = await namespaces.next();
    expect(event?.type).to.equal('DELETED');
  });

  it('deletes dependents before their owner in the foreground, and spares them where it orphans', async () => {
    const owned = async (name: string): Promise<void> => {
      const owner = await client.send('POST', maps, configMap(name));
      const uid = valueAt(owner.body, ['metadata', 'uid']);
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid, blockOwnerDeletion: true }];
      await client.send('POST', maps, configMap(`${name}-child`, { ownerReferences }));
    };
    const deletions = async (policy: string, name: string, count: number): Promise<unknown[]> => {
      await using watch = await client.watch(`${maps}?watch=1`);
      await client.send('DELETE', `${maps}/${name}?propagationPolicy=${policy}`);
      const names: unknown[] = [];
      while (names.length < count) {
        const event = await watch.next();
        if (event?.type === 'DELETED') names.push(valueAt(event.object, ['metadata', 'name']));
      }
      return names;
    };
    await owned('fore');
    expect(await deletions('Foreground', 'fore', 2)).to.deep.equal(['fore-child', 'fore']);
    await owned('orphans');
    expect(await deletions('Orphan', 'orphans', 1)).to.deep.equal(['orphans']);
    const child = await client.get(`${maps}/orphans-child`);
    expect(valueAt(child.body, ['metadata', 'ownerReferences'])).to.equal(undefined);
  });

  it('spares what names an owner that never was, and deletes what comes after its owner has gone', async () => {
    const ownerReferences = (uid: unknown): object[] => [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid },
    ];
    const owner = await client.send('POST', maps, configMap('gone'));
    await client.send('DELETE', `${maps}/gone`);
    await using watch = await client.watch(`${maps}?watch=1&fieldSelector=metadata.name%3Dlate`);
    const stray = configMap('stray', { ownerReferences: ownerReferences('never-made') });
    await client.send('POST', maps, stray);
    const uid = valueAt(owner.body, ['metadata', 'uid']);
    await client.send('POST', maps, configMap('late', { ownerReferences: ownerReferences(uid) }));
    expect((await watch.next())?.type).to.equal('ADDED');
    expect((await watch.next())?.type).to.equal('DELETED');
    expect((await client.get(`${maps}/stray`)).code).to.equal(200);
  });

  it('keeps the age of what is loaded, and gives what clients create its own', async () => {
    const creationTimestamp = '2024-01-01T00:00:00Z';
    await api.load([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'old', namespace: 'default', creationTimestamp },
      },
    ]);
    const age = async (name: string): Promise<unknown> =>
      valueAt((await client.get(`/api/v1/namespaces/default/configmaps/${name}`)).body, [
        'metadata',
        'creationTimestamp',
      ]);
    expect(await age('old')).to.equal(creationTimestamp);
    await client.send(
      'POST',
      '/api/v1/namespaces/default/configmaps',
      configMap('new', { creationTimestamp }),
    );
    expect(await age('new')).not.to.equal(creationTimestamp);
  });

  it('asks webhooks, and refuses what it cannot ask about', async () => {
    const hooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    const made = await client.send('POST', hooks, {
      metadata: { name: 'gate' },
      webhooks: [
        {
          name: 'gate.example.com',
          clientConfig: { service: { namespace: 'default', name: 'nobody' } },
          rules: [
            { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] },
          ],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
    expect(made.code).to.equal(201);
    const refused = await client.send('POST', maps, configMap('a'));
    expect(refused.code).to.equal(500);
    expect(refused.body['message']).to.contain('failed calling webhook "gate.example.com"');
    await client.send('DELETE', `${hooks}/gate`);
    expect((await client.send('POST', maps, configMap('a'))).code).to.equal(201);
  });

  describe('a hostile client', () => {
    it('is answered by name for bodies that are no objects', async () => {
      for (const body of [
        '',
        '[',
        '[]',
        '1',
        '{"metadata":[]}',
        '{"metadata":{"labels":{"a":1}}}',
        '{"kind":"Pod"}',
      ])
        expect((await client.send('POST', maps, body)).code, body).to.equal(400);
      expect((await client.send('POST', maps, 'x', { 'content-type': 'text/plain' })).code).to.equal(415);
      expect((await client.send('PUT', `${maps}/a`, configMap('a'))).code).to.equal(404);
      expect((await client.send('POST', maps, configMap('../etc'))).code).to.equal(422);
      expect((await client.get('/api/v1/namespaces/default/%zz')).code).to.equal(404);
    });

    it('cannot reach a prototype by a patch', async () => {
      await client.send('POST', maps, configMap('a'));
      const patch = '{"data":{"__proto__":"x"},"__proto__":{"polluted":true}}';
      await client.send('PATCH', `${maps}/a`, patch, { 'content-type': 'application/merge-patch+json' });
      await client.send('PATCH', `${maps}/a`, '[{"op":"add","path":"/__proto__/polluted","value":1}]', {
        'content-type': 'application/json-patch+json',
      });
      expect(({} as JsonObject)['polluted']).to.equal(undefined);
    });

    it('cannot send more than a request may hold', async () => {
      const body = JSON.stringify({ ...configMap('a'), data: { big: 'x'.repeat(4 << 20) } });
      const answer = await client.send('POST', maps, body).catch(() => undefined);
      // It may be told, or cut while it is still sending.
      expect(answer?.code ?? 413).to.equal(413);
      expect((await client.get(maps)).code).to.equal(200);
    });
  });
});

describe('LabApi with a data directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lab-api-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('finds objects, definitions, addresses and keys again', async () => {
    const start = (): Promise<LabApi> => LabApi.start({ host: '127.0.0.1', port: 0, dataDir: directory });
    const before = await start();
    await before.load([
      teapots,
      { apiVersion: 'kitchen.example/v1', kind: 'Teapot', metadata: { name: 'p' }, spec: { cups: 1 } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 1 }] } },
    ]);
    const { token } = before.issueToken('default', 'default');
    await before.stop();

    const after = await start();
    try {
      using client = new TestClient(after, before.kubeconfig);
      const pot = await client.get(`${pots}/p`);
      expect(valueAt(pot.body, ['spec', 'cups'])).to.equal(1);
      const service = await client.get('/api/v1/namespaces/default/services/s');
      const other = await client.send('POST', '/api/v1/namespaces/default/services', {
        metadata: { name: 't' },
        spec: { ports: [{ port: 1 }] },
      });
      expect(valueAt(other.body, ['spec', 'clusterIP'])).to.not.equal(
        valueAt(service.body, ['spec', 'clusterIP']),
      );
      const review = await client.send('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        spec: { token },
      });
      expect(valueAt(review.body, ['status', 'authenticated'])).to.equal(true);
      const stale = await client.get(`${maps}?watch=1&resourceVersion=1`);
      expect(valueAt(stale.body, ['object', 'code'])).to.equal(410);
    } finally {
      await after.stop();
    }
  });
});
