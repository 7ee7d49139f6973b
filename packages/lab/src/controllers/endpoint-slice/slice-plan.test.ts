import { expect } from 'chai';

import type { EndpointSlice, Pod, Service } from '../objects.ts';
import { endpointOf } from './endpoints.ts';
import type { PodEndpoint } from './endpoints.ts';
import { planSlices } from './slice-plan.ts';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's', labels: { team: 'x' } },
  spec: {
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 'http' }],
    ipFamilies: ['IPv4'],
  },
};

function pod(number: number, more: Partial<Pod['status'] & object> = {}, containerPort = 8080): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${number}`, namespace: 'shop', uid: `u${number}` },
    spec: { nodeName: 'one', containers: [{ name: 'c', ports: [{ name: 'http', containerPort }] }] },
    status: {
      phase: 'Running',
      podIPs: [{ ip: `10.0.${number >> 8}.${number & 255}` }, { ip: `fd00::${number.toString(16)}` }],
      conditions: [{ type: 'Ready', status: 'True' }],
      ...more,
    },
  };
}

function endpoints(...pods: Pod[]): PodEndpoint[] {
  return pods.flatMap((each) => endpointOf(service, 'IPv4', each, () => undefined) ?? []);
}

/** As the API would have stored it. */
function stored(plan: ReturnType<typeof planSlices>): EndpointSlice[] {
  return plan.create.map(
    (slice, index) =>
      ({
        ...slice,
        metadata: { ...slice.metadata, name: `web-${index}`, uid: `e${index}` },
      }) as EndpointSlice,
  );
}

const range = (count: number): Pod[] => Array.from({ length: count }, (_, index) => pod(index + 1));

describe('endpointOf', () => {
  it('says ready, serving and terminating', () => {
    const [ready] = endpoints(pod(1));
    expect(ready?.endpoint.conditions).to.deep.equal({ ready: true, serving: true, terminating: false });
    const ending = { ...pod(1), metadata: { ...pod(1).metadata, deletionTimestamp: 'x' } };
    expect(endpoints(ending)[0]?.endpoint.conditions).to.deep.equal({
      ready: false,
      serving: true,
      terminating: true,
    });
    expect(endpoints(pod(1, { conditions: [] }))[0]?.endpoint.conditions).to.include({ ready: false });
  });

  it('publishes pods that are not ready where the Service wants it', () => {
    const eager = { ...service, spec: { ...service.spec, publishNotReadyAddresses: true } };
    const made = endpointOf(eager, 'IPv4', pod(1, { conditions: [] }), () => undefined);
    expect(made?.endpoint.conditions).to.include({ ready: true, serving: false });
  });

  it('takes the address of the family, and leaves out what has none or has ended', () => {
    expect(endpointOf(service, 'IPv6', pod(1), () => undefined)?.endpoint.addresses).to.deep.equal([
      'fd00::1',
    ]);
    expect(endpoints(pod(1, { podIPs: [] }))).to.have.length(0);
    expect(endpoints(pod(1, { phase: 'Succeeded' }))).to.have.length(0);
  });

  it('finds a port by its name, in each pod its own', () => {
    expect(endpoints(pod(1), pod(2, {}, 9090)).map(({ ports }) => ports[0]?.port)).to.deep.equal([
      8080, 9090,
    ]);
  });
});

describe('planSlices', () => {
  it('makes one empty slice for a Service without pods, and keeps it', () => {
    const plan = planSlices(service, 'IPv4', [], []);
    expect(plan.create).to.have.length(1);
    expect(planSlices(service, 'IPv4', [], stored(plan))).to.deep.equal({
      create: [],
      update: [],
      remove: [],
    });
  });

  it('fills slices with a hundred endpoints each', () => {
    const plan = planSlices(service, 'IPv4', endpoints(...range(250)), []);
    expect(plan.create.map((slice) => (slice['endpoints'] as unknown[]).length)).to.deep.equal([
      100, 100, 50,
    ]);
  });

  it('changes the one slice that a pod is in', () => {
    const before = stored(planSlices(service, 'IPv4', endpoints(...range(250)), []));
    const pods = range(250).map((each, index) => (index === 120 ? pod(121, { conditions: [] }) : each));
    const plan = planSlices(service, 'IPv4', endpoints(...pods), before);
    expect(plan.update.map(({ metadata }) => metadata.name)).to.deep.equal(['web-1']);
    expect([plan.create, plan.remove]).to.deep.equal([[], []]);
  });

  it('puts a new pod where there is room', () => {
    const before = stored(planSlices(service, 'IPv4', endpoints(...range(150)), []));
    const plan = planSlices(service, 'IPv4', endpoints(...range(151)), before);
    expect(plan.update.map(({ metadata }) => metadata.name)).to.deep.equal(['web-1']);
    expect(plan.create).to.have.length(0);
  });

  it('removes a slice that is left empty, but not the last', () => {
    const before = stored(planSlices(service, 'IPv4', endpoints(...range(150)), []));
    const fewer = planSlices(service, 'IPv4', endpoints(...range(100)), before);
    expect(fewer.remove.map(({ metadata }) => metadata.name)).to.deep.equal(['web-1']);
    const none = planSlices(service, 'IPv4', [], before);
    expect([none.remove.length, none.update.length]).to.deep.equal([1, 1]);
    expect(none.update[0]?.endpoints).to.deep.equal([]);
  });

  it('keeps pods with other numbers for a port in slices of their own', () => {
    const plan = planSlices(service, 'IPv4', endpoints(pod(1), pod(2, {}, 9090)), []);
    expect(plan.create.map((slice) => slice['ports'])).to.deep.equal([
      [{ name: 'http', protocol: 'TCP', port: 8080 }],
      [{ name: 'http', protocol: 'TCP', port: 9090 }],
    ]);
  });
});
