// What a leading control plane says of routes at the services that they name, as an API server stores it.
import { expect } from 'chai';

import type { Condition, Route, RouteParentStatus } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import { pathOf, TestApi } from './harness/test-api.ts';
import type { Manifest } from './harness/test-api.ts';
import { TestObjects } from './harness/test-objects.ts';

const namespace = `routes-${process.pid}`;
const other = `${namespace}-other`;
const gatewayApi = 'gateway.networking.k8s.io/v1';
const ours = 'istio.io/gateway-controller';

const meta = (name: string, labels: Record<string, string> = {}): Manifest['metadata'] =>
  ({ name, namespace, labels }) as Manifest['metadata'];

function service(name: string, labels?: Record<string, string>): Manifest {
  const spec = { ports: [{ name: 'http', port: 80 }], selector: { app: name } };
  return { apiVersion: 'v1', kind: 'Service', metadata: meta(name, labels), spec };
}

const parent = (name: string, further: object = {}) => ({ group: '', kind: 'Service', name, ...further });

function route(kind: string, name: string, parentRefs: readonly object[], backend: object): Manifest {
  const rules = [{ backendRefs: [backend] }];
  return { apiVersion: gatewayApi, kind, metadata: meta(name), spec: { parentRefs, rules } };
}

/** As another controller writes it. */
const foreign = {
  parentRef: parent('web'),
  controllerName: 'example.com/other',
  conditions: [
    {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  ],
};

describe('what a control plane says of routes', function () {
  this.timeout(60_000);
  let api: TestApi;
  let controlPlane: RunningControlPlane;
  let objects: TestObjects;
  /** By all control planes. */
  const logged: string[] = [];

  before(async () => {
    api = await TestApi.start();
    objects = new TestObjects(api);
    for (const name of [namespace, other]) await objects.createNamespace(name);
    controlPlane = await runControlPlane(api);
  });

  after(async () => {
    await objects[Symbol.asyncDispose]();
    await controlPlane[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  async function parentsOf(object: Manifest): Promise<readonly RouteParentStatus[]> {
    return (await api.get<Route>(object)).status?.parents ?? [];
  }

  /** `Type=Status/Reason` of what we say at one parent. */
  async function saidOf(object: Manifest, of = 'web'): Promise<string[]> {
    const mine = (await parentsOf(object)).find(
      ({ controllerName, parentRef }) => controllerName === ours && parentRef.name === of,
    );
    return (mine?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status}/${reason}`);
  }

  function says(object: Manifest, wanted: string, of?: string): Promise<true> {
    const what = `${wanted} of ${object.kind} ${object.metadata.name}`;
    return waitFor(async () => ((await saidOf(object, of)).includes(wanted) ? true : undefined), what);
  }

  const toWeb = { name: 'web', port: 80 };

  it('is there for each kind, at each Service that it names', async () => {
    await objects.create(service('web'));
    for (const kind of ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute']) {
      const object = route(kind, 'kinds', [parent('web'), parent('no')], toWeb);
      const spec = { ...(object['spec'] as object), hostnames: ['web.example.com'] };
      await objects.create(kind === 'TLSRoute' ? { ...object, spec } : object);
      await says(object, 'Accepted=False/NoMatchingParent', 'no');
      expect(await saidOf(object), kind).to.deep.equal([
        'Accepted=True/Accepted',
        'ResolvedRefs=True/ResolvedRefs',
        'ResolvedWaypoints=False/MissingUseWaypointLabel',
      ]);
    }
  });

  it('follows the waypoint of the Service', async () => {
    const object = await objects.create(route('HTTPRoute', 'waypoint', [parent('web')], toWeb));
    await says(object, 'ResolvedWaypoints=False/MissingUseWaypointLabel');
    const label = (value: string | null): Promise<unknown> =>
      api.patch(service('web'), { metadata: { labels: { 'istio.io/use-waypoint': value } } });
    await label('wp');
    await says(object, 'ResolvedWaypoints=False/WaypointIsNotReady');
    const gateway = await objects.create({
      apiVersion: gatewayApi,
      kind: 'Gateway',
      metadata: meta('wp'),
      spec: {
        gatewayClassName: 'istio-waypoint',
        listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }],
      },
    });
    await api.patch(gateway, { status: { addresses: [{ type: 'IPAddress', value: '10.0.0.9' }] } }, 'status');
    await says(object, 'ResolvedWaypoints=True/ResolvedWaypoints');
    await label('none');
    await says(object, 'ResolvedWaypoints=False/MissingUseWaypointLabel');
  });

  it('follows the grants of the namespace that a backend is in', async () => {
    const far = { ...service('far'), metadata: { name: 'far', namespace: other } };
    await objects.create(far);
    const object = await objects.create(
      route('HTTPRoute', 'grants', [parent('web')], { name: 'far', namespace: other, port: 80 }),
    );
    await says(object, 'ResolvedRefs=False/RefNotPermitted');
    const grant = await objects.create({
      apiVersion: gatewayApi,
      kind: 'ReferenceGrant',
      metadata: { name: 'g', namespace: other },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace }],
        to: [{ group: '', kind: 'Service' }],
      },
    });
    await says(object, 'ResolvedRefs=True/ResolvedRefs');
    await api.delete(grant);
    await says(object, 'ResolvedRefs=False/RefNotPermitted');
  });

  it('leaves alone what other controllers say, also while they write', async () => {
    const object = await objects.create(route('HTTPRoute', 'shared', [parent('web')], toWeb));
    await api.patch(object, { status: { parents: [foreign] } }, 'status');
    await says(object, 'Accepted=True/Accepted');
    expect((await parentsOf(object))[0]).to.deep.equal(foreign);
    const seen = await Promise.all(Array.from({ length: 20 }, (_, i) => asAnother(object, `${i}`)));
    expect(seen.filter((count) => count === 1).length, 'writes of the other').to.be.greaterThan(0);
    await says(object, 'Accepted=True/Accepted');
    const [first] = (await parentsOf(object)).filter(({ controllerName }) => controllerName !== ours);
    expect(first?.conditions[0]?.message).to.match(/^\d+$/);
  });

  /** Writes its entry alone, and so takes ours away, but only onto what it has read. @returns 1 if it was the first */
  async function asAnother(object: Manifest, message: string): Promise<number> {
    const { metadata } = await api.get<Route>(object);
    const conditions: Condition[] = foreign.conditions.map((each) => ({
      ...each,
      status: 'True',
      message,
    }));
    const body = {
      metadata: { resourceVersion: metadata.resourceVersion },
      status: { parents: [{ ...foreign, conditions }] },
    };
    return api.patch(object, body, 'status').then(
      () => 1,
      () => 0,
    );
  }

  it('goes with the reference, and is not written where there is none', async () => {
    const object = await objects.create(route('HTTPRoute', 'leaves', [parent('web'), parent('no')], toWeb));
    const gateway = await objects.create(route('HTTPRoute', 'gateway', [{ name: 'wp' }], toWeb));
    await api.patch(object, { status: { parents: [foreign] } }, 'status');
    await says(object, 'Accepted=True/Accepted');
    await says(object, 'Accepted=False/NoMatchingParent', 'no');
    await api.patch(object, { spec: { parentRefs: [parent('web')] } });
    await waitFor(
      async () => ((await saidOf(object, 'no')).length === 0 ? true : undefined),
      'its end at no',
    );
    const [, mine] = await parentsOf(object);
    expect(mine?.conditions[0]?.observedGeneration).to.equal(2);
    await api.patch(object, { spec: { parentRefs: [{ name: 'wp' }] } });
    await waitFor(async () => ((await parentsOf(object)).length === 1 ? true : undefined), 'its end at web');
    expect(await parentsOf(object)).to.deep.equal([foreign]);
    expect(await parentsOf(gateway)).to.deep.equal([]);
  });

  it('keeps its time when a control plane starts anew, and is written by its name', async () => {
    const object = await objects.create(route('HTTPRoute', 'again', [parent('web')], toWeb));
    await says(object, 'Accepted=True/Accepted');
    const before = await parentsOf(object);
    await controlPlane[Symbol.asyncDispose]();
    logged.push(...controlPlane.log);
    await api.nextSecond();
    controlPlane = await runControlPlane(api);
    const later = await objects.create(route('HTTPRoute', 'later', [parent('web')], toWeb));
    await says(later, 'Accepted=True/Accepted');
    expect(await parentsOf(object)).to.deep.equal(before);
    const { metadata } = await api.request<{ metadata: { managedFields: Record<string, string>[] } }>({
      path: pathOf(object),
    });
    expect(metadata.managedFields.map(({ manager, subresource }) => `${manager} ${subresource}`)).to.include(
      'ambient-routes status',
    );
  });

  it('is there at once for a route that comes while a new leader writes what it found', async () => {
    const found = Array.from({ length: 60 }, (_, i) =>
      route('HTTPRoute', `found-${i}`, [parent('web')], toWeb),
    );
    await controlPlane[Symbol.asyncDispose]();
    logged.push(...controlPlane.log);
    for (const object of found) await objects.create(object);
    controlPlane = await runControlPlane(api, { PILOT_STATUS_QPS: '5' });
    await says(found[0]!, 'Accepted=True/Accepted');
    const fresh = await objects.create(route('HTTPRoute', 'fresh', [parent('web')], toWeb));
    await says(fresh, 'Accepted=True/Accepted');
    const said = await Promise.all(found.map(async (object) => (await saidOf(object)).length > 0));
    expect(said.filter((each) => each).length, 'written before it').to.be.lessThan(30);
  });

  it('is written without a failure', () => {
    logged.push(...controlPlane.log);
    expect(logged.filter((line) => /^(warn|error) (apply|cannot)/.test(line))).to.deep.equal([]);
  });
});
