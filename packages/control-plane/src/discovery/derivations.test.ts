import { expect } from 'chai';
import { typeUrl } from '@ambient/wire';

import { Engine } from '../cluster/engine.ts';
import type { Report } from '../cluster/engine.ts';
import { namespaceObject } from '../cluster/objects.test-data.ts';
import type { KindName, KubeObject } from '@ambient/kube';
import { testLog } from '@ambient/kube/testing';
import { objectKey } from '@ambient/kube';
import { meshDefaults } from '../translate/mesh-settings.test-data.ts';
import { derivations } from './derivations.ts';
import type { Finding } from './finding.ts';
import { MeshInForce } from './mesh-in-force.ts';

class Rig {
  readonly reports = new Map<string, Report<Finding>>();
  readonly mesh = new MeshInForce(meshDefaults, testLog());
  readonly engine = new Engine<Finding>({
    derivations: derivations(this.mesh, () => '2026-01-01T00:00:00Z'),
    log: testLog(),
    onReport: (report) => void this.reports.set(`${report.kind ?? 'mesh'} ${report.key}`.trim(), report),
  });

  constructor(...objects: readonly KubeObject[]) {
    this.mesh.onChange(() => this.engine.invalidateAll());
    this.put(...objects);
  }

  put(...objects: readonly KubeObject[]): void {
    for (const object of objects) {
      const kind = object.kind as KindName;
      this.engine.target(kind).put(objectKey(object), object);
    }
    while (!this.engine.work());
    expect(this.engine.state().failures, 'translators that threw').to.equal(0);
  }

  names(type: string): string[] {
    this.engine.takeBatch();
    return [...this.engine.resources(type)].map(({ name }) => name).sort();
  }

  findings(of: string): string[] {
    return (this.reports.get(of)?.conditions ?? []).map((finding) =>
      finding.kind === 'status' ? `status ${finding.apply.fieldManager}` : finding.kind,
    );
  }

  /** Of `ResolvedWaypoints` of a route, at its first parent. */
  waypointReason(route: string): string | undefined {
    for (const finding of this.reports.get(route)?.conditions ?? [])
      if (finding.kind === 'parents')
        return finding.update.wanted[0]?.conditions.find(({ type }) => type === 'ResolvedWaypoints')?.reason;
    return undefined;
  }

  /** How many translators run because of a change. */
  runsFor(change: () => void): number {
    const before = this.engine.state().runs;
    change();
    return this.engine.state().runs - before;
  }
}

function object(apiVersion: string, kind: string, name: string, spec: unknown, labels = {}): KubeObject {
  const metadata = { name, namespace: 'a', uid: name, resourceVersion: '5', labels };
  return { apiVersion, kind, metadata, spec };
}

const security = (kind: string, name: string, spec: unknown): KubeObject =>
  object('security.istio.io/v1', kind, name, spec);
const service = (name: string, labels = {}): KubeObject =>
  object('v1', 'Service', name, { clusterIPs: ['10.0.0.1'], ports: [{ port: 80 }] }, labels);
const entry = (name: string, host: string): KubeObject =>
  object('networking.istio.io/v1', 'ServiceEntry', name, {
    hosts: [host],
    ports: [{ number: 80, name: 'http' }],
    resolution: 'STATIC',
  });

describe('derivations', () => {
  it('put workloads and services into one table, policies into another', () => {
    const rig = new Rig(
      service('web'),
      object('networking.istio.io/v1', 'WorkloadEntry', 'vm', { address: '192.0.2.1' }),
      security('AuthorizationPolicy', 'deny', { action: 'DENY', rules: [{}] }),
      security('PeerAuthentication', 'strict', { mtls: { mode: 'STRICT' } }),
    );
    expect(rig.names(typeUrl.address)).to.deep.equal([
      'Kubernetes/networking.istio.io/WorkloadEntry/a/vm',
      'a/web.a.svc.cluster.local',
    ]);
    expect(rig.names(typeUrl.authorization)).to.deep.equal([
      'a/deny',
      'istio-system/istio_converted_static_strict',
    ]);
  });

  it('name a rejected object’s field', () => {
    const rig = new Rig(
      security('AuthorizationPolicy', 'bad', { rules: [{ from: [{ source: { ipBlocks: ['x'] } }] }] }),
    );
    const problems = rig.reports.get('AuthorizationPolicy a/bad')?.problems ?? [];
    expect(problems.map(({ path }) => path)).to.include('spec.rules[0].from[0].source.ipBlocks[0]');
  });

  it('let a Service go before a ServiceEntry with its host, and the entry take over when it is gone', () => {
    const rig = new Rig(entry('claim', 'web.a.svc.cluster.local'), service('web'));
    const holder = (): string => {
      rig.engine.takeBatch();
      const found = [...rig.engine.resources(typeUrl.address)].find(({ name }) => name.startsWith('a/web.'));
      return Buffer.from(found?.bytes ?? []).toString('latin1');
    };
    const [first] = [holder()];
    rig.engine.target('Service').remove('a/web');
    rig.put();
    expect(holder()).not.to.equal(first);
    expect(holder()).to.have.length.above(0);
  });

  it('find statuses to be written, namespaces that take the mesh’s trust, and entries due addresses', () => {
    const rig = new Rig(
      namespaceObject('a'),
      namespaceObject('kube-node-lease'),
      service('web', { 'istio.io/use-waypoint': 'none-there' }),
      entry('host', 'host.example'),
      security('AuthorizationPolicy', 'deny', { action: 'DENY', rules: [{}] }),
    );
    expect(rig.findings('Namespace a')).to.deep.equal(['trust']);
    expect(rig.findings('Namespace kube-node-lease')).to.deep.equal([]);
    expect(rig.findings('Service a/web')).to.deep.equal(['status istio-ambient-service']);
    expect(rig.findings('ServiceEntry a/host')).to.deep.equal(['addresses']);
    expect(rig.findings('AuthorizationPolicy a/deny')).to.deep.equal(['status istio-ambient-ztunnel-policy']);
  });

  describe('of routes', () => {
    const gateways = 'gateway.networking.k8s.io/v1';
    const route = (kind: string, name: string, to: string): KubeObject =>
      object(gateways, kind, name, { parentRefs: [{ group: '', kind: 'Service', name: to }] });
    const waypoint = (name: string, ...addresses: readonly string[]): KubeObject => ({
      ...object(gateways, 'Gateway', name, {
        gatewayClassName: 'istio-waypoint',
        listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }],
      }),
      status: { addresses: addresses.map((value) => ({ type: 'IPAddress', value })) },
    });
    const behind = (name: string, gateway: string): KubeObject =>
      service(name, { 'istio.io/use-waypoint': gateway });

    it('are findings for each kind, and none for a route of Gateways alone', () => {
      const kinds = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'];
      const rig = new Rig(...kinds.map((kind) => route(kind, 'r', 'web')));
      for (const kind of kinds) expect(rig.findings(`${kind} a/r`), kind).to.deep.equal(['parents']);
      rig.put(object(gateways, 'HTTPRoute', 'other', { parentRefs: [{ name: 'gateway' }] }));
      expect(rig.findings('HTTPRoute a/other')).to.deep.equal([]);
    });

    it('follow their services, and the waypoints and namespaces of those', () => {
      const rig = new Rig(route('HTTPRoute', 'r', 'web'));
      const reason = (): string | undefined => rig.waypointReason('HTTPRoute a/r');
      expect(reason()).to.equal('NoMatchingParent');
      rig.put(service('web'));
      expect(reason()).to.equal('MissingUseWaypointLabel');
      rig.put(namespaceObject('a', { 'istio.io/use-waypoint': 'w' }));
      expect(reason()).to.equal('WaypointIsNotReady');
      rig.put(waypoint('w', '10.0.0.9'));
      expect(reason()).to.equal('ResolvedWaypoints');
      rig.engine.target('Gateway').remove('a/w');
      rig.put();
      expect(reason()).to.equal('WaypointIsNotReady');
    });

    it('are computed again only where something changed that they stand on', () => {
      const many = Array.from({ length: 50 }, (_, i) => [
        behind(`s${i}`, 'other'),
        route('HTTPRoute', `r${i}`, `s${i}`),
      ]).flat();
      const rig = new Rig(waypoint('w'), waypoint('other', '10.0.0.8'), ...many);
      rig.put(behind('web', 'w'), route('HTTPRoute', 'r', 'web'));
      const changed = rig.runsFor(() => rig.put(waypoint('w', '10.0.0.9')));
      expect(rig.waypointReason('HTTPRoute a/r')).to.equal('ResolvedWaypoints');
      // The Gateway itself twice, the Service and its route.
      expect(changed).to.equal(4);
      const status = { status: { parents: [] } };
      expect(
        rig.runsFor(() => rig.put({ ...route('HTTPRoute', 'r', 'web'), ...status })),
        'for the status of a route',
      ).to.equal(1);
    });
  });

  it('derive everything anew when the mesh’s settings change', () => {
    const rig = new Rig(
      object('networking.istio.io/v1', 'WorkloadEntry', 'vm', { address: '192.0.2.1', serviceAccount: 's' }),
    );
    const bytes = (): string => {
      rig.engine.takeBatch();
      return [...rig.engine.resources(typeUrl.address)]
        .map((each) => Buffer.from(each.bytes).toString())
        .join();
    };
    expect(bytes()).not.to.contain('prod.example');
    const metadata = { name: 'istio', namespace: 'istio-system', uid: 'm' };
    rig.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { mesh: 'trustDomain: prod.example' },
    } as KubeObject);
    expect(bytes()).to.contain('prod.example');
  });
});
