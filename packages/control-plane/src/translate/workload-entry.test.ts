import { istio } from '@ambient/wire';
import { expect } from 'chai';
import type { KubeObject, WorkloadEntry, WorkloadEntrySpec } from '@ambient/kube';
import {
  clusterOf,
  mesh,
  serviceEntry,
  serviceNamed,
  waypointNamed,
  workloadEntry,
} from './translate.test-data.ts';
import type { WorkloadEntryTranslation } from './workload-entry.ts';
import { translateWorkloadEntry } from './workload-entry.ts';

const { WorkloadStatus } = istio.workload;

function translated(entry: WorkloadEntry, ...others: readonly KubeObject[]): WorkloadEntryTranslation {
  return translateWorkloadEntry(entry, clusterOf(entry, ...others), mesh);
}

function workloadOf(entry: WorkloadEntry, ...others: readonly KubeObject[]): istio.workload.IWorkload {
  return translated(entry, ...others).workload!;
}

describe('WorkloadEntry', () => {
  it('has its own network and locality, weight as capacity, and is healthy', () => {
    const spec = { address: '192.0.2.1', network: 'far', locality: 'r/z', weight: 3, serviceAccount: 'vm' };
    expect(workloadOf(workloadEntry('a', spec))).to.deep.include({
      uid: 'Kubernetes/networking.istio.io/WorkloadEntry/ns/a',
      network: 'far',
      locality: { region: 'r', zone: 'z', subzone: '' },
      capacity: { value: 3 },
      serviceAccount: 'vm',
    });
    expect(workloadOf(workloadEntry('a', spec)).status ?? 0).to.equal(WorkloadStatus.HEALTHY);
    expect(workloadOf(workloadEntry('a', { address: '192.0.2.1', weight: 0 })).capacity).to.equal(undefined);
  });

  it('has an address that is none as its host name, and may have neither', () => {
    expect(workloadOf(workloadEntry('a', { address: 'vm.example.com' }))).to.include({
      hostname: 'vm.example.com',
    });
    expect(workloadOf(workloadEntry('a', {})).addresses ?? []).to.be.empty;
    expect(
      translateWorkloadEntry({ ...workloadEntry('a', {}), spec: undefined } as never, clusterOf(), mesh)
        .workload,
    ).to.be.an('object');
  });

  it('merges labels of spec and metadata; those of metadata win', () => {
    const entry = workloadEntry('a', { labels: { app: 'spec', version: 'v1' } }, { labels: { app: 'meta' } });
    expect(workloadOf(entry)).to.include({ canonicalName: 'meta', canonicalRevision: 'v1' });
  });

  it('belongs to the workload of its group, else to that which its label names', () => {
    const named = { 'service.istio.io/workload-name': 'labelled' };
    const annotations = { 'istio.io/autoRegistrationGroup': 'group' };
    expect(workloadOf(workloadEntry('a', {}, { labels: named }))).to.include({ workloadName: 'labelled' });
    expect(workloadOf(workloadEntry('a', {}, { labels: named, annotations }))).to.include({
      name: 'a',
      workloadName: 'group',
      canonicalName: 'group',
    });
  });

  it('goes through no waypoint when it carries one out, and has its inbound binding', () => {
    const labels = { 'istio.io/use-waypoint': 'wp', 'gateway.networking.k8s.io/gateway-name': 'gw' };
    const wp = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'all' } });
    const gw = waypointNamed('gw', {
      annotations: { 'ambient.istio.io/waypoint-inbound-binding': 'PROXY/15088' },
    });
    const { workload, waypoint } = translated(workloadEntry('a', {}, { labels }), wp, gw);
    expect(waypoint).to.deep.equal({ state: 'none' });
    expect(workload!.waypoint).to.equal(undefined);
    expect(workload!.applicationTunnel).to.deep.equal({
      protocol: istio.workload.ApplicationTunnel.Protocol.PROXY,
      port: 15088,
    });
  });

  it('maps ports of a Service by named target, else by port name, and drops a named target that it lacks', () => {
    const service = serviceNamed('web', {
      selector: { app: 'vm' },
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'adm', port: 90, targetPort: 'admin' },
        { name: 'gone', port: 91, targetPort: 'missing' },
        { name: 'own', port: 92, targetPort: 9200 },
      ],
    });
    const spec = { address: '192.0.2.1', ports: { admin: 9999, own: 7, adm: 1 } };
    const entry = workloadEntry('a', spec, { labels: { app: 'vm' } });
    expect(workloadOf(entry, service).services!['ns/web.ns.svc.cluster.local']!.ports).to.deep.equal([
      { servicePort: 80, targetPort: 8080 },
      { servicePort: 90, targetPort: 9999 },
      { servicePort: 92, targetPort: 7 },
    ]);
  });

  it('maps ports of a ServiceEntry by port name, else to its target', () => {
    const selecting = serviceEntry('e', 'ns', {
      hosts: ['e.example.com'],
      resolution: 'STATIC',
      workloadSelector: { labels: { app: 'vm' } },
      ports: [
        { number: 80, name: 'http', targetPort: 8080 },
        { number: 81, name: 'x' },
      ],
    });
    const entry = workloadEntry('a', { address: '192.0.2.1', ports: { x: 5 } }, { labels: { app: 'vm' } });
    expect(workloadOf(entry, selecting).services!['ns/e.example.com']!.ports).to.deep.equal([
      { servicePort: 80, targetPort: 8080 },
      { servicePort: 81, targetPort: 5 },
    ]);
  });

  it('reports its waypoint, and why it has none', () => {
    const entry = workloadEntry('a', {}, { labels: { 'istio.io/use-waypoint': 'wp' } });
    const wp = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'workload' } });
    expect(translated(entry, wp).waypoint).to.have.property('reason', 'WaypointAccepted');
    expect(translated(entry).waypoint).to.have.property('reason', 'WaypointIsNotReady');
  });

  for (const [what, spec, path] of [
    ['an account with slashes', { serviceAccount: 'x/sa/admin' }, 'spec.serviceAccount'],
    ['an account with a scheme', { serviceAccount: 'spiffe://td/ns/n/sa/x' }, 'spec.serviceAccount'],
    ['a port out of range', { ports: { http: 70000 } }, 'spec.ports["http"]'],
    ['a weight that is a fraction', { weight: 1.5 }, 'spec.weight'],
    ['a label that is a number', { labels: { app: 1 } }, 'spec.labels["app"]'],
    ['an address that is a list', { address: ['192.0.2.1'] }, 'spec.address'],
    ['a spec that is a text', 'x', 'spec'],
  ] as const) {
    it(`is refused with ${what}, by path`, () => {
      const { workload, problems } = translated(workloadEntry('a', spec as unknown as WorkloadEntrySpec));
      expect(workload).to.equal(undefined);
      expect(problems.map((problem) => problem.path)).to.deep.equal([path]);
    });
  }
});
