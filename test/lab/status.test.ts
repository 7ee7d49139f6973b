// What a leading control plane writes back: conditions, addresses, the mesh's roots; as an API server stores it.
import { expect } from 'chai';

import type { Condition, KubeObject } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';
import { DiscoveryRecorder } from './harness/discovery-recorder.ts';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import { TestApi } from './harness/test-api.ts';
import type { Manifest } from './harness/test-api.ts';
import { TestObjects } from './harness/test-objects.ts';

const namespace = `status-${process.pid}`;
const inNamespace = (name: string, labels: Record<string, string> = {}): Manifest['metadata'] =>
  ({ name, namespace, labels }) as Manifest['metadata'];

function service(name: string, labels?: Record<string, string>): Manifest {
  const spec = { ports: [{ name: 'http', port: 80 }], selector: { app: name } };
  return { apiVersion: 'v1', kind: 'Service', metadata: inNamespace(name, labels), spec };
}

function policy(name: string, spec: unknown): Manifest {
  const apiVersion = 'security.istio.io/v1';
  return { apiVersion, kind: 'AuthorizationPolicy', metadata: inNamespace(name), spec };
}

function entry(name: string, host: string): Manifest {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: inNamespace(name),
    spec: { hosts: [host], ports: [{ number: 80, name: 'http', protocol: 'HTTP' }], resolution: 'DNS' },
  };
}

function waypoint(name: string): Manifest {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: inNamespace(name),
    spec: {
      gatewayClassName: 'istio-waypoint',
      listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }],
    },
  };
}

describe('what a control plane writes back', function () {
  this.timeout(60_000);
  let api: TestApi;
  let controlPlane: RunningControlPlane;
  let objects: TestObjects;

  before(async () => {
    api = await TestApi.start();
    objects = new TestObjects(api);
    await objects.createNamespace(namespace);
    controlPlane = await runControlPlane(api);
  });

  after(async () => {
    await objects[Symbol.asyncDispose]();
    await controlPlane[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  /** The condition of a type, once it says what it should. */
  function condition(object: Manifest, type: string, wanted: string): Promise<Condition> {
    return waitFor(async () => {
      const found = (await conditionsOf(object)).find((each) => each.type === type);
      return found !== undefined && `${found.status}/${found.reason}` === wanted ? found : undefined;
    }, `${type} ${wanted} of ${object.metadata.name}`);
  }

  async function conditionsOf(object: Manifest): Promise<readonly Condition[]> {
    const { status } = await api.get(object);
    return (status as { conditions?: Condition[] } | undefined)?.conditions ?? [];
  }

  /** Who owns the condition of a type. */
  async function managersOf(object: Manifest, type: string): Promise<string[]> {
    const { metadata } = await api.get<KubeObject & { metadata: { managedFields: ManagedFields[] } }>(object);
    return metadata.managedFields
      .filter(({ fieldsV1 }) => `k:{"type":"${type}"}` in (fieldsV1['f:status']?.['f:conditions'] ?? {}))
      .map(({ manager, operation, subresource }) => `${manager} ${operation} ${subresource}`);
  }

  describe('conditions', () => {
    it('say of a policy what ztunnels make of it, and follow its changes', async () => {
      const fine = await objects.create(
        policy('fine', { action: 'DENY', rules: [{ to: [{ operation: { ports: ['80'] } }] }] }),
      );
      const found = await condition(fine, 'ZtunnelAccepted', 'True/Accepted');
      expect(found.observedGeneration).to.equal(1);
      expect(await managersOf(fine, 'ZtunnelAccepted')).to.deep.equal([
        'istio-ambient-ztunnel-policy Apply status',
      ]);
      await api.patch(fine, { spec: { action: 'AUDIT' } });
      const refused = await condition(fine, 'ZtunnelAccepted', 'False/UnsupportedValue');
      expect(refused.observedGeneration).to.equal(2);
      const http = await objects.create(
        policy('http', { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] }),
      );
      expect((await condition(http, 'ZtunnelAccepted', 'True/UnsupportedValue')).message).to.contain(
        'methods',
      );
    });

    it('say of a Service whether its waypoint is there, and go when it names none; those of others stay', async () => {
      const shop = await objects.create(service('shop', { 'istio.io/use-waypoint': 'wp' }));
      const foreign = { type: 'example.com/Seen', status: 'True', reason: 'Seen', message: '' };
      const time = { lastTransitionTime: '2026-01-01T00:00:00Z' };
      await api.patch(shop, { status: { conditions: [{ ...foreign, ...time }] } }, 'status');
      await condition(shop, 'istio.io/WaypointBound', 'False/WaypointIsNotReady');
      const gateway = await objects.create(waypoint('wp'));
      await api.patch(
        gateway,
        { status: { addresses: [{ type: 'IPAddress', value: '10.0.0.9' }] } },
        'status',
      );
      const bound = await condition(shop, 'istio.io/WaypointBound', 'True/WaypointAccepted');
      expect(bound.message).to.contain(`${namespace}/wp`);
      expect(await managersOf(shop, 'istio.io/WaypointBound')).to.deep.equal([
        'istio-ambient-service Apply status',
      ]);
      await api.patch(shop, { metadata: { labels: { 'istio.io/use-waypoint': null } } });
      const left = await waitFor(async () => {
        const conditions = await conditionsOf(shop);
        return conditions.some(({ type }) => type === 'istio.io/WaypointBound') ? undefined : conditions;
      }, 'end of WaypointBound');
      expect(left.map(({ type }) => type)).to.deep.equal(['example.com/Seen']);
    });

    it('come from a manager of their own for machines, entries and policies of waypoints', async () => {
      await objects.create(waypoint('w2'));
      const labels = { 'istio.io/use-waypoint': 'w2' };
      const machine = await objects.create({
        apiVersion: 'networking.istio.io/v1',
        kind: 'WorkloadEntry',
        metadata: inNamespace('vm', labels),
        spec: { address: '192.0.2.7' },
      });
      const host = entry('bound', 'bound.example.com');
      const bound = await objects.create({ ...host, metadata: inNamespace('bound', labels) });
      const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'nowhere' }];
      const lost = await objects.create(policy('lost', { targetRefs, rules: [{}] }));
      await condition(machine, 'istio.io/WaypointBound', 'False/WaypointIsNotReady');
      await condition(bound, 'istio.io/WaypointBound', 'False/WaypointIsNotReady');
      await condition(lost, 'WaypointAccepted', 'False/TargetNotFound');
      expect(await managersOf(machine, 'istio.io/WaypointBound')).to.deep.equal([
        'istio-ambient-workloadentry Apply status',
      ]);
      expect(await managersOf(bound, 'istio.io/WaypointBound')).to.deep.equal([
        'istio-ambient-service Apply status',
      ]);
      expect(await managersOf(lost, 'WaypointAccepted')).to.deep.equal([
        'istio-ambient-waypoint-policy Apply status',
      ]);
    });
  });

  describe('addresses of ServiceEntries', () => {
    it('are given once, served, and kept by the control plane that starts next', async () => {
      const [one, two] = [
        await objects.create(entry('one', 'one.example.com')),
        await objects.create(entry('two', 'two.example.com')),
      ];
      const given = await Promise.all([addressesOf(one), addressesOf(two)]);
      expect(new Set(given.flat()).size, 'different addresses').to.equal(4);
      await expectServed('one.example.com', given[0]);

      await controlPlane[Symbol.asyncDispose]();
      controlPlane = await runControlPlane(api);
      const three = await objects.create(entry('three', 'three.example.com'));
      const later = await addressesOf(three);
      expect(await Promise.all([addressesOf(one), addressesOf(two)])).to.deep.equal(given);
      expect(given.flat()).not.to.include.members(later);
      await expectServed('one.example.com', given[0]);
    });

    it('leave those alone that somebody else has written meanwhile', async () => {
      const own = entry('own', 'own.example.com');
      const addresses = [{ value: '240.240.99.99', host: 'own.example.com' }];
      await objects.create(own);
      // Before the control plane knows of the entry, or while it writes.
      await api.patch(own, { status: { addresses } }, 'status');
      const found = await waitFor(async () => {
        const values = await addressesOf(own);
        return values.length === 2 ? values : undefined;
      }, 'an IPv6 address beside it');
      expect(found[0]).to.equal('240.240.99.99');
    });

    it('come also where others write to the entry at the same time', async () => {
      const busy = await objects.create(entry('busy', 'busy.example.com'));
      // As often as a write is made anew at once; more often would be told of.
      for (let i = 0; i < 3; i++) await api.patch(busy, { metadata: { annotations: { count: `${i}` } } });
      expect(await addressesOf(busy)).to.have.length(2);
    });

    function addressesOf(object: Manifest): Promise<string[]> {
      return waitFor(async () => {
        const { status } = await api.get(object);
        const found = (status as { addresses?: { value: string }[] } | undefined)?.addresses ?? [];
        return found.length > 0 ? found.map(({ value }) => value) : undefined;
      }, `addresses of ${object.metadata.name}`);
    }

    async function expectServed(host: string, addresses: readonly string[]): Promise<void> {
      using recorder = new DiscoveryRecorder({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
      const name = `Address ${namespace}/${host}`;
      // The control plane learns what it has written from the watch, a moment after the API has it.
      const served = (): readonly (string | undefined)[] => {
        const { service } = (recorder.resources[name] ?? {}) as {
          service?: { addresses?: readonly { address?: string }[] };
        };
        return (service?.addresses ?? []).map(({ address }) => address);
      };
      await recorder.until(() => served().includes(addresses[0]), `${name} with ${addresses[0]}`);
    }
  });

  describe('the mesh’s roots', () => {
    const map: Manifest = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace },
    };
    const rootsOf = (object: Manifest, unlike = ''): Promise<string> =>
      waitFor(async () => {
        const found = await api.find<KubeObject & { data?: Record<string, string> }>(object);
        const text = found?.data?.['root-cert.pem'];
        return text === unlike ? undefined : text;
      }, 'roots');

    it('are in every namespace, a new one too', async () => {
      const roots = await rootsOf(map);
      expect(roots).to.match(/^-----BEGIN CERTIFICATE-----/);
      const name = `${namespace}-late`;
      await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      const late = { ...map, metadata: { ...map.metadata, namespace: name } };
      expect(await rootsOf(late)).to.equal(roots);
      await api.deleteNamespace(name);
    });

    it('come back when they are deleted, and when they are edited', async () => {
      const roots = await rootsOf(map);
      await api.delete(map);
      expect(await rootsOf(map)).to.equal(roots);
      await api.patch(map, { data: { 'root-cert.pem': 'nonsense' } });
      expect(await rootsOf(map, 'nonsense')).to.equal(roots);
    });
  });

  describe('all of it', () => {
    it('is written without a failure', () => {
      expect(controlPlane.log.filter((line) => /^(warn|error) (apply|cannot)/.test(line))).to.deep.equal([]);
    });
  });
});

interface ManagedFields {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1: {
    readonly 'f:status'?: { readonly 'f:conditions'?: Readonly<Record<string, unknown>> };
  };
}
