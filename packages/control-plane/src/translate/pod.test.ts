import { istio } from '@ambient/wire';
import { expect } from 'chai';
import type { KubeObject, Pod } from '@ambient/kube';
import { translatePod } from './pod.ts';
import {
  clusterOf,
  mesh,
  namespaceNamed,
  podNamed,
  serviceEntry,
  serviceNamed,
  sliceNamed,
  waypointNamed,
} from './translate.test-data.ts';

const { ApplicationTunnel, NetworkMode, TunnelProtocol, WorkloadStatus, WorkloadType } = istio.workload;

function workloadOf(pod: Pod, ...others: readonly KubeObject[]): istio.workload.IWorkload {
  const { workload, problems } = translatePod(pod, clusterOf(pod, ...others), mesh);
  expect(problems).to.be.empty;
  expect(workload).not.to.equal(undefined);
  return workload!;
}

const servicesOf = (pod: Pod, ...others: readonly KubeObject[]): unknown =>
  Object.fromEntries(
    Object.entries(workloadOf(pod, ...others).services ?? {}).map(([key, { ports }]) => [
      key,
      (ports ?? []).map(({ servicePort, targetPort }) => `${servicePort}>${targetPort}`).join(),
    ]),
  );

describe('pod to workload', () => {
  it('has a uid with two slashes, its node, cluster and account, and is of type POD', () => {
    expect(workloadOf(podNamed('a'))).to.deep.include({
      uid: 'Kubernetes//Pod/ns/a',
      node: 'n1',
      clusterId: 'Kubernetes',
      serviceAccount: 'sa',
      workloadType: WorkloadType.POD,
      trustDomain: '',
    });
  });

  it('names its trust domain only if that is not cluster.local', () => {
    const { workload } = translatePod(podNamed('a'), clusterOf(), { ...mesh, trustDomain: 'corp' });
    expect(workload!.trustDomain).to.equal('corp');
  });

  it('is on the network of the mesh, not on one of its own labels', () => {
    const pod = podNamed('a', { labels: { 'topology.istio.io/network': 'mine' } });
    expect(translatePod(pod, clusterOf(), { ...mesh, network: 'n' }).workload!.network).to.equal('n');
  });

  for (const [what, status] of [
    ['has succeeded', { phase: 'Succeeded' }],
    ['has failed', { phase: 'Failed' }],
    ['has no address', { podIPs: [] }],
    ['has empty addresses', { podIPs: [{ ip: '' }] }],
  ] as const) {
    it(`is not sent when the pod ${what}`, () => {
      expect(translatePod(podNamed('a', {}, { status }), clusterOf(), mesh)).to.deep.equal({ problems: [] });
    });
  }

  it('is sent while pending with an address, and takes a lone podIP', () => {
    const pod = podNamed('a', {}, { status: { phase: 'Pending', podIPs: [], podIP: '10.0.0.7' } });
    expect(workloadOf(pod).addresses).to.deep.equal([new Uint8Array([10, 0, 0, 7])]);
  });

  it('is refused by the path of an address that is none', () => {
    const pod = podNamed('a', {}, { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'x' }] } });
    const { workload, problems } = translatePod(pod, clusterOf(), mesh);
    expect(workload).to.equal(undefined);
    expect(problems.map(({ path }) => path)).to.deep.equal(['status.podIPs[1].ip']);
  });

  it('is refused when its account cannot be part of an identity', () => {
    for (const serviceAccountName of ['a/sa/admin', 'a b', '..', 'a%2fb', 'ü']) {
      const { workload, problems } = translatePod(
        podNamed('a', {}, { spec: { serviceAccountName } }),
        clusterOf(),
        mesh,
      );
      expect(workload, serviceAccountName).to.equal(undefined);
      expect(problems[0]!.path).to.equal('spec.serviceAccountName');
    }
  });

  for (const [what, change, healthy] of [
    ['ready', {}, true],
    ['not ready', { status: { conditions: [{ type: 'Ready', status: 'False' }] } }, false],
    ['of unknown readiness', { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }, false],
    ['without conditions', { status: { conditions: [] } }, false],
  ] as const) {
    it(`is ${healthy ? 'healthy' : 'unhealthy'} when ${what}`, () => {
      const expected = healthy ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY;
      expect(workloadOf(podNamed('a', {}, change)).status).to.equal(expected);
    });
  }

  it('is unhealthy while it terminates, although still Ready', () => {
    const pod = podNamed('a', { deletionTimestamp: '2024-01-01T00:00:00Z' });
    expect(workloadOf(pod).status).to.equal(WorkloadStatus.UNHEALTHY);
  });

  it('says that it is on the network of its host', () => {
    const pod = podNamed('a', {}, { spec: { hostNetwork: true } });
    expect(workloadOf(pod).networkMode).to.equal(NetworkMode.HOST_NETWORK);
  });

  for (const [what, extra, tunnel, native] of [
    ['annotation enabled', { annotations: { 'ambient.istio.io/redirection': 'enabled' } }, 'HBONE', false],
    ['annotation pending', { annotations: { 'ambient.istio.io/redirection': 'pending' } }, 'NONE', false],
    ['label http', { labels: { 'networking.istio.io/tunnel': 'http' } }, 'HBONE', true],
    ['label among others', { labels: { 'networking.istio.io/tunnel': 'quic,http' } }, 'HBONE', true],
    ['label httpx', { labels: { 'networking.istio.io/tunnel': 'httpx' } }, 'NONE', false],
    ['dataplane-mode alone', { labels: { 'istio.io/dataplane-mode': 'ambient' } }, 'NONE', false],
  ] as const) {
    it(`tunnels ${tunnel} with ${what}`, () => {
      const workload = workloadOf(podNamed('a', extra));
      expect(workload.tunnelProtocol ?? 0).to.equal(TunnelProtocol[tunnel]);
      expect(workload.nativeTunnel ?? false).to.equal(native);
    });
  }

  it('has the locality of its node, and none without labels or node', () => {
    const node = (labels: Record<string, string>): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1', uid: 'n1', labels },
    });
    expect(
      workloadOf(
        podNamed('a'),
        node({ 'topology.kubernetes.io/zone': 'z', 'topology.istio.io/subzone': 's' }),
      ).locality,
    ).to.deep.equal({ region: '', zone: 'z', subzone: 's' });
    expect(workloadOf(podNamed('a'), node({ other: 'x' })).locality).to.equal(undefined);
    expect(workloadOf(podNamed('a')).locality).to.equal(undefined);
  });
});

describe('services of a pod', () => {
  const pod = podNamed('a', { labels: { app: 'web', tier: 'front', 'app.kubernetes.io/name': 'n' } });

  for (const [what, selector, selected] of [
    ['one pair', { app: 'web' }, true],
    ['every pair', { app: 'web', tier: 'front' }, true],
    ['pairs of which one distinguishes', { tier: 'front', 'app.kubernetes.io/name': 'n' }, true],
    ['a pair that nobody would distinguish by', { tier: 'front' }, true],
    ['a pair more than it has', { app: 'web', version: 'v1' }, false],
    ['another value', { app: 'other' }, false],
    ['nothing', {}, false],
  ] as const) {
    it(`${selected ? 'include' : 'leave out'} one whose selector names ${what}`, () => {
      const expected = selected ? { 'ns/web.ns.svc.cluster.local': '80>8080' } : {};
      expect(servicesOf(pod, serviceNamed('web', { selector }))).to.deep.equal(expected);
    });
  }

  it('leave out those of other namespaces and ExternalName', () => {
    const elsewhere = serviceNamed('web', { selector: { app: 'web' } }, { namespace: 'other' });
    const alias = serviceNamed('alias', { selector: { app: 'web' }, type: 'ExternalName' });
    expect(servicesOf(pod, elsewhere, alias)).to.deep.equal({});
  });

  it('include a Service of another namespace whose slice has the pod by uid', () => {
    const service = serviceNamed('web', {}, { namespace: 'other' });
    const target = { kind: 'Pod', namespace: 'ns', name: 'a' };
    const slice = (uid: string): KubeObject =>
      sliceNamed(
        's',
        { endpoints: [{ addresses: ['10.0.0.1'], targetRef: { ...target, uid } }] },
        { namespace: 'other' },
      );
    expect(servicesOf(pod, service, slice(pod.metadata.uid))).to.have.all.keys(
      'other/web.other.svc.cluster.local',
    );
    expect(servicesOf(pod, service, slice('of-another'))).to.deep.equal({});
    expect(servicesOf(pod, slice(pod.metadata.uid)), 'a slice without its Service').to.deep.equal({});
  });

  it('resolve a named target among containers, and leave the port out where it is missing', () => {
    const containers = [
      { name: 'c', ports: [{ name: 'web', containerPort: 1, protocol: 'UDP' }] },
      { name: 'd', ports: [{ name: 'web', containerPort: 8081 }] },
    ];
    const initContainers = [
      { name: 'once', ports: [{ name: 'gone', containerPort: 2 }] },
      { name: 'side', restartPolicy: 'Always', ports: [{ name: 'side', containerPort: 3 }] },
    ];
    const ports = ['web', 'gone', 'side'].map((targetPort, i) => ({
      name: `p${i}`,
      port: 90 + i,
      targetPort,
    }));
    const service = serviceNamed('web', { selector: { app: 'web' }, ports });
    const named = podNamed('a', { labels: { app: 'web' } }, { spec: { containers, initContainers } });
    expect(servicesOf(named, service)).to.deep.equal({ 'ns/web.ns.svc.cluster.local': '90>8081,92>3' });
  });

  it('take, of a ServiceEntry, the container port of that name before its numbers', () => {
    const entry = serviceEntry('e', 'ns', {
      hosts: ['e.example.com', 'f.example.com'],
      resolution: 'STATIC',
      workloadSelector: { labels: { app: 'web' } },
      ports: [
        { number: 80, name: 'http' },
        { number: 81, name: 'adm', targetPort: 9 },
        { number: 82, name: 'x' },
      ],
    });
    const containers = [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }];
    const named = podNamed('a', { labels: { app: 'web' } }, { spec: { containers } });
    expect(servicesOf(named, entry)).to.deep.equal({
      'ns/e.example.com': '80>8080,81>9,82>82',
      'ns/f.example.com': '80>8080,81>9,82>82',
    });
  });

  it('name a host once where a Service and a ServiceEntry both stand for it: the Service', () => {
    const entry = serviceEntry('e', 'ns', {
      hosts: ['web.ns.svc.cluster.local'],
      resolution: 'STATIC',
      workloadSelector: { labels: { app: 'web' } },
      ports: [{ number: 99, name: 'other' }],
    });
    const service = serviceNamed('web', { selector: { app: 'web' } });
    expect(servicesOf(pod, service, entry)).to.deep.equal({ 'ns/web.ns.svc.cluster.local': '80>8080' });
  });
});

describe('waypoint of a pod', () => {
  const using = podNamed('a', { labels: { 'istio.io/use-waypoint': 'wp' } });

  it('is that of its label if it takes workloads', () => {
    const wp = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'workload' } });
    expect(workloadOf(using, wp).waypoint!.hboneMtlsPort).to.equal(15008);
    expect(workloadOf(using, waypointNamed('wp')).waypoint, 'for services only').to.equal(undefined);
  });

  it('is none for a pod of a waypoint itself, which has its inbound binding instead', () => {
    const labels = { 'istio.io/use-waypoint': 'wp', 'gateway.networking.k8s.io/gateway-name': 'gw' };
    const wp = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'all' } });
    const gw = waypointNamed('gw', {
      annotations: { 'ambient.istio.io/waypoint-inbound-binding': 'PROXY/15088' },
    });
    const workload = workloadOf(podNamed('a', { labels }), wp, gw);
    expect(workload.waypoint).to.equal(undefined);
    expect(workload.applicationTunnel).to.deep.equal({
      protocol: ApplicationTunnel.Protocol.PROXY,
      port: 15088,
    });
  });

  it('has a present, empty tunnel for binding NONE, and none for one that cannot be read', () => {
    const labels = { 'gateway.networking.k8s.io/gateway-name': 'gw' };
    const bound = (binding: string): istio.workload.IWorkload =>
      workloadOf(
        podNamed('a', { labels }),
        waypointNamed('gw', { annotations: { 'ambient.istio.io/waypoint-inbound-binding': binding } }),
      );
    expect(bound('NONE').applicationTunnel).to.deep.equal({ protocol: 0, port: 0 });
    for (const binding of ['', 'HTTP', 'PROXY/', 'PROXY/x', 'PROXY/70000', 'PROXY/1/2']) {
      expect(bound(binding).applicationTunnel, binding).to.equal(undefined);
    }
  });

  it('is kept by a pod whose Gateway has no address yet', () => {
    const labels = { 'istio.io/use-waypoint': 'wp', 'gateway.networking.k8s.io/gateway-name': 'gw' };
    const wp = waypointNamed('wp', { labels: { 'istio.io/waypoint-for': 'all' } });
    const gw = waypointNamed('gw', {}, { addresses: [] });
    expect(workloadOf(podNamed('a', { labels }), wp, gw, namespaceNamed('ns')).waypoint).not.to.equal(
      undefined,
    );
  });
});
