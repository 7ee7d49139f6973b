// Objects that no schema has checked, written past every check: each is refused by its field, and the rest of the mesh stands.
import { expect } from 'chai';
import type { JsonObject } from '@ambient/lab';
import { istio } from '@ambient/wire';
import { waitFor } from '@ambient/testkit/lab';

import { Cluster, namespace, pod, policy, service, serviceEntry, uidOf } from './cluster.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';

const { Address } = istio.workload;
const { Authorization } = istio.security;

function custom(apiVersion: string, kind: string, name: string, more: JsonObject): JsonObject {
  return { apiVersion, kind, metadata: { name, namespace: 'shop' }, ...more };
}

const peerAuthentication = (name: string, spec: JsonObject, ns = 'shop'): JsonObject => ({
  ...custom('security.istio.io/v1', 'PeerAuthentication', name, { spec }),
  metadata: { name, namespace: ns },
});
const workloadEntry = (name: string, spec: JsonObject): JsonObject =>
  custom('networking.istio.io/v1', 'WorkloadEntry', name, { spec });
const gateway = (name: string, spec: JsonObject): JsonObject =>
  custom('gateway.networking.k8s.io/v1', 'Gateway', name, { spec });

interface Case {
  readonly title: string;
  readonly object: JsonObject;
  /** Of the line that refuses it. */
  readonly field: RegExp;
}

const rule = (from: JsonObject): JsonObject => ({ rules: [{ from: [{ source: from }] }] });

const cases: readonly Case[] = [
  {
    title: 'an AuthorizationPolicy whose rules are a text',
    object: policy('m1', { action: 'DENY', rules: 'none' }),
    field: /^spec\.rules$/,
  },
  {
    title: 'an AuthorizationPolicy with an action that does not exist',
    object: policy('m2', { action: 'SHRUG' }),
    field: /^spec\.action$/,
  },
  {
    title: 'an AuthorizationPolicy whose principals are numbers',
    object: policy('m3', { action: 'ALLOW', ...rule({ principals: [7] }) }),
    field: /^spec\.rules\[0\]\.from\[0\]\.source\.principals/,
  },
  {
    title: 'an AuthorizationPolicy with an address block that is none',
    object: policy('m4', { action: 'ALLOW', ...rule({ ipBlocks: ['10.0.0.0/99'] }) }),
    field: /^spec\.rules\[0\]\.from\[0\]\.source\.ipBlocks\[0\]$/,
  },
  {
    title: 'an AuthorizationPolicy with a port that is no number',
    object: policy('m5', { action: 'DENY', rules: [{ to: [{ operation: { ports: ['http'] } }] }] }),
    field: /^spec\.rules\[0\]\.to\[0\]\.operation\.ports\[0\]$/,
  },
  {
    title: 'an AuthorizationPolicy without a spec that is an object',
    object: { ...policy('m6'), spec: 42 },
    field: /^spec$/,
  },
  {
    title: 'a PeerAuthentication with a mode that does not exist',
    object: peerAuthentication('m7', { mtls: { mode: 'MAYBE' } }),
    field: /^spec\.mtls\.mode$/,
  },
  {
    title: 'a PeerAuthentication with ports that are none',
    object: peerAuthentication('m8', {
      selector: { matchLabels: { app: 'web' } },
      portLevelMtls: { http: { mode: 'STRICT' } },
    }),
    field: /^spec\.portLevelMtls/,
  },
  {
    title: 'a PeerAuthentication whose selector is a list',
    object: peerAuthentication('m9', { selector: [], mtls: { mode: 'STRICT' } }),
    field: /^spec\.selector/,
  },
  {
    title: 'a ServiceEntry whose hosts are no names',
    object: serviceEntry('m10', { hosts: [{}, 'a b'], ports: [{ number: 80, name: 'http' }] }),
    field: /^spec\.hosts/,
  },
  {
    title: 'a ServiceEntry with a port out of range',
    object: serviceEntry('m11', { hosts: ['m11.example'], ports: [{ number: 70_000, name: 'http' }] }),
    field: /^spec\.ports\[0\]\.number$/,
  },
  {
    title: 'a ServiceEntry with an address that is none',
    object: serviceEntry('m12', {
      hosts: ['m12.example'],
      addresses: ['10.0.0.300'],
      ports: [{ number: 80, name: 'http' }],
    }),
    field: /^spec\.addresses\[0\]$/,
  },
  {
    title: 'a ServiceEntry with an endpoint that is a text',
    object: serviceEntry('m13', {
      hosts: ['m13.example'],
      resolution: 'STATIC',
      ports: [{ number: 80, name: 'http' }],
      endpoints: ['10.0.0.1'],
    }),
    field: /^spec\.endpoints\[0\]$/,
  },
  {
    title: 'a WorkloadEntry whose address is a number',
    object: workloadEntry('m14', { address: 10, labels: { app: 'web' } }),
    field: /^spec\.address$/,
  },
  {
    title: 'a WorkloadEntry whose account could be another identity',
    object: workloadEntry('m15', { address: '10.8.0.1', serviceAccount: 'x/../admin' }),
    field: /^spec\.serviceAccount$/,
  },
];

/** Objects that are odd, but of which nothing is to be refused: they have no effect, or the one that is left of them. */
const odd: readonly JsonObject[] = [
  gateway('odd-gateway', { gatewayClassName: 7, listeners: 'many', addresses: {} }),
  {
    ...custom('gateway.networking.k8s.io/v1', 'GatewayClass', 'odd-class', { spec: [] }),
    metadata: { name: 'odd-class' },
  },
  custom('networking.istio.io/v1', 'ServiceEntry', 'no-spec', {}),
  custom('security.istio.io/v1', 'PeerAuthentication', 'no-spec', { spec: null }),
  custom('networking.istio.io/v1', 'WorkloadEntry', 'odd-status', {
    spec: { address: '10.8.0.2' },
    status: { conditions: 'fine' },
  }),
];

describe('malformed objects', () => {
  let cluster: Cluster;
  let controlPlane: ControlPlaneProcess;
  let client: DiscoveryClient;
  let sound: string[];

  before(async () => {
    cluster = await Cluster.start();
    await cluster.lab.load([
      namespace('bank'),
      pod('web-1', 1),
      pod('vault', 2, { ns: 'bank', app: 'vault' }),
      service('web'),
      policy('sound', { action: 'DENY', ...rule({ namespaces: ['plain'] }) }),
      serviceEntry('sound', { hosts: ['sound.example'], ports: [{ number: 443, name: 'tls' }] }),
    ]);
    controlPlane = ControlPlaneProcess.spawn(cluster.file('lab', cluster.lab.kubeconfig));
    const { plaintextXds } = await controlPlane.serving();
    await controlPlane.ready();
    client = new DiscoveryClient({ address: `127.0.0.1:${plaintextXds}` });
    await client.sync();
    sound = client.names();
    expect(sound).include.members([uidOf('web-1'), 'shop/sound', 'shop/sound.example']);
  });
  after(async () => {
    client[Symbol.dispose]();
    await controlPlane[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  afterEach('what is sound is served as before, and goes on to change', async () => {
    expect(client.names()).include.members(sound);
    expect(client.open).equal(true);
    expect(controlPlane.lines({ level: 'error' })).deep.equal([]);
    await cluster.lab.load([pod('probe', 999)]);
    await client.until(uidOf('probe'));
    await cluster.delete(pod('probe', 999));
    await client.until(uidOf('probe'), false);
  });

  for (const { title, object, field } of cases)
    it(`${title}: refused by its field`, async () => {
      const { kind, metadata } = object as { kind: string; metadata: { name: string } };
      await cluster.put(object);
      const refusal = await controlPlane.line(
        { level: 'warn', message: 'rejected', object: `${kind} shop/${metadata.name}`, field },
        5000,
      );
      expect(refusal['problem']).a('string').not.empty;
      // What is written about it, into its status, is no reason to complain again.
      await cluster.lab.load([pod('later', 998)]);
      await client.until(uidOf('later'));
      await cluster.delete(pod('later', 998));
      const { field: refused, problem } = refusal;
      expect(controlPlane.lines({ object: refusal['object'], field: refused, problem })).lengthOf(1);
    });

  it('odd ones of every kind have no effect on others', async () => {
    for (const object of odd) await cluster.put(object);
    await cluster.lab.load([pod('after-oddities', 50)]);
    await client.until(uidOf('after-oddities'));
  });

  it('a MeshConfig that is no YAML: refused by its field, and what held before goes on', async () => {
    const path = '/api/v1/namespaces/istio-system/configmaps';
    const config = (mesh: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh },
    });
    const trustDomain = (): string =>
      Address.decode(client.contents.get(uidOf('web-1'))!).workload!.trustDomain!;
    await cluster.client.request({ method: 'POST', path, body: config('trustDomain: corp.example') });
    await waitFor(() => trustDomain() === 'corp.example', 'the trust domain');
    for (const [mesh, field] of [
      ['trustDomain: [', 'data.mesh'],
      ['trustDomain: {}', 'trustDomain'],
      ['- a\n- b', ''],
    ] as const) {
      await cluster.client.request({ method: 'PUT', path: `${path}/istio`, body: config(mesh) });
      await controlPlane.line({ message: 'rejected', object: 'MeshConfig', field });
      await cluster.lab.load([pod('mark-mesh', 60)]);
      await client.until(uidOf('mark-mesh'));
      await cluster.delete(pod('mark-mesh', 60));
      await client.until(uidOf('mark-mesh'), false);
      expect(trustDomain()).equal('corp.example');
    }
    await cluster.client.request({ method: 'DELETE', path: `${path}/istio` });
    await waitFor(() => trustDomain() !== 'corp.example', 'the default');
  });

  it('one that is put right counts from then on', async () => {
    await cluster.put(policy('m4', { action: 'ALLOW', ...rule({ ipBlocks: ['10.0.0.0/8'] }) }));
    await client.until('shop/m4');
    const { rules } = Authorization.decode(client.contents.get('shop/m4')!);
    expect(rules).not.empty;
  });

  it('an ALLOW that is refused in part never allows more than it says', async () => {
    await cluster.put(
      policy('half', {
        action: 'ALLOW',
        rules: [
          { from: [{ source: { principals: ['cluster.local/ns/shop/sa/web'], ipBlocks: ['nonsense'] } }] },
        ],
      }),
    );
    await controlPlane.line({ message: 'rejected', object: 'AuthorizationPolicy shop/half' });
    await cluster.lab.load([pod('mark', 51)]);
    await client.until(uidOf('mark'));
    const bytes = client.contents.get('shop/half');
    const text = bytes === undefined ? '' : JSON.stringify(Authorization.decode(bytes));
    expect(text).not.contain('sa/web');
  });

  describe('that contradict each other or name what is not there', () => {
    it('two entries of one host: the older one stays, and takes over what it had when the other goes', async () => {
      const spec = (address: string): JsonObject => ({
        hosts: ['twice.example'],
        addresses: [address],
        ports: [{ number: 80, name: 'http' }],
        resolution: 'STATIC',
      });
      await cluster.put(serviceEntry('first', spec('10.9.0.1')));
      await client.until('shop/twice.example');
      await cluster.put(serviceEntry('second', spec('10.9.0.2')));
      await cluster.lab.load([pod('mark-2', 52)]);
      await client.until(uidOf('mark-2'));
      const address = (): string => {
        const { service: served } = Address.decode(client.contents.get('shop/twice.example')!);
        return served!.addresses!.map(({ address: bytes }) => [...bytes!].join('.')).join();
      };
      expect(address()).equal('10.9.0.1');
      await cluster.delete(serviceEntry('first', {}));
      await waitFor(() => address() === '10.9.0.2', 'the other address');
      expect(client.removed).not.include('shop/twice.example');
    });

    it('an entry that claims the name of a Service: the Service stays', async () => {
      const before = client.contents.get('shop/web.shop.svc.cluster.local');
      await cluster.put(
        serviceEntry('thief', {
          hosts: ['web.shop.svc.cluster.local'],
          addresses: ['10.6.6.6'],
          ports: [{ number: 80, name: 'http' }],
        }),
      );
      await cluster.lab.load([pod('mark-3', 53)]);
      await client.until(uidOf('mark-3'));
      expect(client.contents.get('shop/web.shop.svc.cluster.local')).deep.equal(before);
    });

    it('a waypoint that does not exist: traffic goes without it, and a condition says so', async () => {
      const lonely = service('lonely');
      (lonely['metadata'] as JsonObject)['labels'] = { 'istio.io/use-waypoint': 'nowhere' };
      await cluster.lab.load([lonely]);
      await client.until('shop/lonely.shop.svc.cluster.local');
      const condition = await waitFor(async () => {
        const found = await cluster.get<{ status?: { conditions?: JsonObject[] } }>(
          '/api/v1/namespaces/shop/services/lonely',
        );
        return found?.status?.conditions?.find(({ type }) => type === 'istio.io/WaypointBound');
      }, 'the condition');
      expect(condition).include({ status: 'False' });
      expect(condition['message']).match(/nowhere/);
    });

    it('endpoints and targets that do not exist', async () => {
      await cluster.put({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'dangling', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'nobody' } },
        addressType: 'IPv4',
        endpoints: [
          { addresses: ['10.7.0.1'], targetRef: { kind: 'Pod', name: 'nobody', namespace: 'shop' } },
        ],
        ports: [{ name: 'http', port: 80 }],
      });
      await cluster.put(
        policy('dangling', {
          action: 'DENY',
          targetRefs: [{ kind: 'Service', group: '', name: 'nobody' }],
          rules: [{}],
        }),
      );
      await cluster.put(
        workloadEntry('dangling', { address: '10.7.0.2', network: 'nowhere', ports: { x: 1 } }),
      );
      await client.until('Kubernetes/networking.istio.io/WorkloadEntry/shop/dangling');
    });

    it('a STRICT mode of another namespace does not become theirs', async () => {
      const policiesOf = (name: string): string =>
        Address.decode(client.contents.get(name)!).workload!.authorizationPolicies!.join();
      const before = policiesOf(uidOf('web-1'));
      await cluster.put(peerAuthentication('strict', { mtls: { mode: 'STRICT' } }, 'bank'));
      await waitFor(() => policiesOf(uidOf('vault', 'bank')).includes('strict'), 'the mode to be in force');
      expect(policiesOf(uidOf('web-1'))).equal(before);
    });
  });
});
