import { expect } from 'chai';
import { chooseRoute } from './choose-route.ts';
import { serviceWith, workloadWith } from './defaults.ts';
import { describeRoute } from './describe-route.ts';
import type { RouteStep } from './route.ts';
import { MeshStore } from './store.ts';
import type { MeshUpdate, Service, Workload } from './types.ts';

const source = workloadWith({ uid: 'client', namespace: 'ns', addresses: ['10.0.0.1'] });
const pod = workloadWith({
  uid: 'server',
  namespace: 'ns',
  addresses: ['10.0.0.2'],
  serviceAccount: 'web',
  tunnelProtocol: 'HBONE',
  services: { 'ns/web': [] },
});
const web = serviceWith({
  namespace: 'ns',
  hostname: 'web',
  addresses: [{ network: '', ip: '10.1.0.1' }],
  ports: [{ servicePort: 80, targetPort: 8080, appProtocol: 'TCP' }],
});
const gateway = {
  destination: { kind: 'address', address: { network: 'west', ip: '1.2.3.4' } },
  hboneMtlsPort: 15009,
} as const;

function describeCall(ip: string, ...resources: (Workload | Service)[]): string[] {
  const store = new MeshStore();
  store.apply(
    resources.map((it): MeshUpdate =>
      'uid' in it ? { kind: 'workload', workload: it } : { kind: 'service', service: it },
    ),
  );
  const steps: RouteStep[] = [];
  const route = chooseRoute(store, {
    source,
    sourceIp: '10.0.0.1',
    destination: { ip, port: 80 },
    network: '',
    selfPorts: [],
    random: () => 0,
    trace: (step) => steps.push(step),
  });
  return describeRoute(route, steps);
}

describe('describeRoute', () => {
  it('tells of a tunnel and of the endpoints that were left out', () => {
    expect(describeCall('10.1.0.1', web, pod, { ...pod, uid: 'sick', status: 'UNHEALTHY' })).to.deep.equal([
      '10.1.0.1:80 is service ns/web',
      'service ns/web port 80: 1 of 2 endpoints (1 not ready), picked server',
      'HBONE to server at 10.0.0.2:15008 for 10.0.0.2:8080, expecting spiffe://cluster.local/ns/ns/sa/web',
    ]);
  });
  it('tells of a passthrough', () => {
    expect(describeCall('8.8.8.8')).to.deep.equal([
      '8.8.8.8:80 is not known to the mesh',
      'plain TCP to 8.8.8.8:80, as dialled',
    ]);
  });
  it('tells of plain TCP and of a hostname', () => {
    const plain: Workload = { ...pod, tunnelProtocol: 'NONE', addresses: [], hostname: 'db.example' };
    expect(describeCall('10.1.0.1', web, plain).at(-1)).to.equal(
      'plain TCP to server at db.example:8080 (by DNS): the workload takes no HBONE',
    );
  });
  it('tells of a waypoint', () => {
    const waypoint = {
      destination: { kind: 'address', address: { network: '', ip: '10.0.0.9' } },
      hboneMtlsPort: 15008,
    } as const;
    const lines = describeCall(
      '10.0.0.2',
      { ...pod, waypoint },
      workloadWith({ uid: 'wp', addresses: ['10.0.0.9'] }),
    );
    expect(lines[1]).to.equal('workload server has waypoint /10.0.0.9 port 15008');
    expect(lines[2]).to.match(/^HBONE to waypoint wp at 10\.0\.0\.9:15008 for 10\.0\.0\.2:80,/);
  });
  it('tells of another network', () => {
    const remote: Workload = { ...pod, addresses: [], network: 'west', networkGateway: gateway };
    const eastwest = workloadWith({ uid: 'gw', network: 'west', addresses: ['1.2.3.4'] });
    const lines = describeCall('10.1.0.1', { ...web, subjectAltNames: ['spiffe://x'] }, remote, eastwest);
    expect(lines[2]).to.equal('from network "" to network "west": gateway west/1.2.3.4 port 15009');
    expect(lines[3]).to.match(
      /^HBONE to gateway gw at 1\.2\.3\.4:15009 for web:80, .*inside it HBONE expecting spiffe:\/\/x$/,
    );
  });
  it('tells of a refusal with its reason', () => {
    expect(describeCall('10.1.0.1', web).at(-1)).to.match(
      /^refused, service-without-endpoints: ns\/web port 80 /,
    );
  });
});
