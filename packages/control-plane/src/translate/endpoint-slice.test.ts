import { istio } from '@ambient/wire';
import { expect } from 'chai';
import type { EndpointSlice, KubeObject } from '@ambient/kube';
import { translateEndpointSlice } from './endpoint-slice.ts';
import { clusterOf, mesh, serviceNamed, sliceNamed } from './translate.test-data.ts';

const { NetworkMode, WorkloadStatus } = istio.workload;
const ports = [{ name: 'http', port: 9080, protocol: 'TCP' }];
const endpoints = [{ addresses: ['192.0.2.1'] }];

function workloadsOf(slice: EndpointSlice, ...objects: readonly KubeObject[]) {
  return translateEndpointSlice(slice, clusterOf(...objects), mesh).workloads;
}

describe('EndpointSlice', () => {
  it('gives a workload without identity or policy, on the network of its host', () => {
    const [workload] = workloadsOf(sliceNamed('s', { ports, endpoints }), serviceNamed('web'));
    expect(workload).to.deep.equal({
      uid: 'Kubernetes/discovery.k8s.io/EndpointSlice/ns/s/192.0.2.1',
      name: 's',
      namespace: 'ns',
      addresses: [new Uint8Array([192, 0, 2, 1])],
      network: '',
      clusterId: 'Kubernetes',
      trustDomain: '',
      networkMode: NetworkMode.HOST_NETWORK,
      services: { 'ns/web.ns.svc.cluster.local': { ports: [{ servicePort: 80, targetPort: 9080 }] } },
      status: WorkloadStatus.HEALTHY,
    });
  });

  for (const [what, slice, objects] of [
    ['without its Service', sliceNamed('s', { ports, endpoints }), []],
    [
      'of an ExternalName',
      sliceNamed('s', { ports, endpoints }),
      [serviceNamed('web', { type: 'ExternalName' })],
    ],
    ['of host names', sliceNamed('s', { ports, endpoints, addressType: 'FQDN' }), [serviceNamed('web')]],
    ['without the label', sliceNamed('s', { ports, endpoints }, { labels: {} }), [serviceNamed('web')]],
    [
      'of pods',
      sliceNamed('s', { endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod' } }] }),
      [serviceNamed('web')],
    ],
    ['without endpoints', sliceNamed('s', { ports, endpoints: null }), [serviceNamed('web')]],
    [
      'with an endpoint without addresses',
      sliceNamed('s', { ports, endpoints: [{}] }),
      [serviceNamed('web')],
    ],
  ] as const) {
    it(`gives nothing ${what}`, () => {
      expect(workloadsOf(slice, ...objects)).to.be.empty;
    });
  }

  for (const [ready, healthy] of [
    [undefined, true],
    [null, true],
    [true, true],
    [false, false],
  ] as const) {
    it(`is ${healthy ? 'healthy' : 'unhealthy'} when ready is ${String(ready)}`, () => {
      const conditions = ready === undefined ? {} : { ready };
      const slice = sliceNamed('s', { endpoints: [{ addresses: ['192.0.2.1'], conditions }] });
      const expected = healthy ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY;
      expect(workloadsOf(slice, serviceNamed('web'))[0]!.status).to.equal(expected);
    });
  }

  it('takes TCP ports that the Service names, and no others', () => {
    const slice = sliceNamed('s', {
      endpoints,
      ports: [
        { name: 'http', port: 1 },
        { name: 'http', port: 2, protocol: 'UDP' },
        { name: 'extra', port: 3 },
        { name: 'http' },
      ],
    });
    expect(
      workloadsOf(slice, serviceNamed('web'))[0]!.services!['ns/web.ns.svc.cluster.local']!.ports,
    ).to.deep.equal([{ servicePort: 80, targetPort: 1 }]);
  });

  it('counts an address once, and drops one that is none by path', () => {
    const slice = sliceNamed('s', { endpoints: [...endpoints, ...endpoints, { addresses: ['x'] }] });
    const { workloads, problems } = translateEndpointSlice(slice, clusterOf(serviceNamed('web')), mesh);
    expect(workloads).to.have.length(1);
    expect(problems.map(({ path }) => path)).to.deep.equal(['endpoints[2].addresses[0]']);
  });

  it('has every address of an endpoint, and the first one in its name', () => {
    const addresses = ['192.0.2.1', '2001:db8::1'];
    const slice = sliceNamed('s', { endpoints: [{ addresses }, { addresses: ['192.0.2.2', 'x'] }] });
    const { workloads, problems } = translateEndpointSlice(slice, clusterOf(serviceNamed('web')), mesh);
    expect(workloads.map(({ uid }) => uid)).to.deep.equal([
      'Kubernetes/discovery.k8s.io/EndpointSlice/ns/s/192.0.2.1',
    ]);
    expect(workloads[0]!.addresses!.map((bytes) => bytes.length)).to.deep.equal([4, 16]);
    expect(problems.map(({ path }) => path)).to.deep.equal(['endpoints[1].addresses[1]']);
  });
});
