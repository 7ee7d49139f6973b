import { expect } from 'chai';
import fc from 'fast-check';
import { serviceWith, workloadWith } from './defaults.ts';
import { guessInboundService, parseAuthority, refusePlaintextInbound, resolveInbound } from './inbound.ts';
import type { InboundRequest } from './inbound.ts';
import { MeshStore } from './store.ts';
import type { GatewayAddress, MeshUpdate, PortMapping, Service, Workload } from './types.ts';

const port = (servicePort: number, targetPort: number): PortMapping => ({
  servicePort,
  targetPort,
  appProtocol: 'TCP',
});
const vip = (ip: string, network = '') => ({ network, ip });
const pod = workloadWith({
  uid: 'c//Pod/ns/server',
  namespace: 'ns',
  addresses: ['10.0.0.2'],
  services: { 'ns/web.example': [] },
});
const web = serviceWith({
  namespace: 'ns',
  hostname: 'web.example',
  addresses: [vip('10.1.0.1')],
  ports: [port(80, 8080)],
});

function resolve(
  authority: string,
  resources: (Workload | Service)[] = [pod, web],
  fields: Partial<InboundRequest> = {},
) {
  const store = new MeshStore();
  store.apply(
    resources.map((it): MeshUpdate =>
      'uid' in it ? { kind: 'workload', workload: it } : { kind: 'service', service: it },
    ),
  );
  return resolveInbound(store, {
    localWorkload: pod,
    network: '',
    connectionDestinationIp: '10.0.0.2',
    authority,
    selfPorts: [15001, 15006, 15008],
    ...fields,
  });
}

const outcome = (found: ReturnType<typeof resolve>) =>
  found.kind === 'refused'
    ? `${found.code} ${found.reason}`
    : `${found.destination.ip} ${found.destination.port}`;

describe('parseAuthority', () => {
  const cases: [string, string | undefined][] = [
    ['10.0.0.1:80', 'address 10.0.0.1 80'],
    ['[fd00::1]:80', 'address fd00::1 80'],
    ['[FD00:0::1]:80', 'address fd00::1 80'],
    ['[::ffff:10.0.0.1]:80', 'address 10.0.0.1 80'],
    ['web.ns.svc.cluster.local:80', 'hostname web.ns.svc.cluster.local 80'],
    ['a_b-c:65535', 'hostname a_b-c 65535'],
    ['', undefined],
    ['10.0.0.1', undefined],
    [':80', undefined],
    ['web', undefined],
    ['web:', undefined],
    ['web:0', undefined],
    ['web:65536', undefined],
    ['web:123456', undefined],
    ['web:+80', undefined],
    ['web:8o', undefined],
    ['fd00::1:80', undefined],
    ['[fd00::1]', undefined],
    ['[fd00::1:80', undefined],
    ['[10.0.0.1]:80', undefined],
    ['10.0.0.256:80', undefined],
    ['user@web:80', undefined],
    ['we b:80', undefined],
    ['http://web:80', undefined],
    [`${'a'.repeat(254)}:80`, undefined],
  ];
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text.slice(0, 40))} is ${expected ?? 'refused'}`, () => {
      const found = parseAuthority(text);
      expect(
        found && `${found.kind} ${found.kind === 'address' ? found.ip : found.hostname} ${found.port}`,
      ).to.equal(expected);
    });
  }
  it('takes any text without failing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const found = parseAuthority(text);
        if (found !== undefined) expect(found.port).to.be.within(1, 65535);
      }),
    );
  });
});

describe('resolveInbound: by address', () => {
  it('delivers to the pod on the port of the authority', () => {
    expect(outcome(resolve('10.0.0.2:8080'))).to.equal('10.0.0.2 8080');
  });
  it('gives all services of the workload', () => {
    const found = resolve('10.0.0.2:8080');
    expect(found.kind === 'deliver' && found.services.map((service) => service.key)).to.deep.equal([
      'ns/web.example',
    ]);
  });
  it('refuses text that is no authority', () => {
    expect(outcome(resolve('10.0.0.2'))).to.equal('400 authority-invalid');
  });
  it('refuses another address', () => {
    expect(outcome(resolve('10.0.0.3:8080'))).to.equal('400 authority-address-mismatch');
    expect(outcome(resolve('10.1.0.1:80'))).to.equal('400 authority-address-mismatch');
  });
  it('takes IPv6 and a v4-mapped form of the own address', () => {
    expect(outcome(resolve('[fd00::2]:80', [pod], { connectionDestinationIp: 'fd00::2' }))).to.equal(
      'fd00::2 80',
    );
    expect(outcome(resolve('[::ffff:10.0.0.2]:80'))).to.equal('10.0.0.2 80');
  });
  for (const self of [15001, 15006, 15008]) {
    it(`refuses port ${self} of the proxy`, () => {
      expect(outcome(resolve(`10.0.0.2:${self}`))).to.equal('503 proxy-port');
    });
  }
});

describe('resolveInbound: the excuses for another address', () => {
  const byHost: GatewayAddress = {
    destination: { kind: 'hostname', namespace: 'ns', hostname: 'waypoint' },
    hboneMtlsPort: 15008,
  };
  const byIp = (ip: string): GatewayAddress => ({
    destination: { kind: 'address', address: vip(ip) },
    hboneMtlsPort: 15008,
  });
  const waypointPod = { ...pod, uid: 'c//Pod/ns/waypoint', services: { 'ns/waypoint': [] } };
  const waypoint = serviceWith({ namespace: 'ns', hostname: 'waypoint', addresses: [vip('10.1.0.9')] });
  const as = (target: Workload | Service, authority: string, local: Workload = waypointPod) =>
    outcome(resolve(authority, [waypointPod, waypoint, target], { localWorkload: local }));

  it('a workload with an application tunnel takes any', () => {
    const localWorkload: Workload = { ...pod, applicationTunnel: { protocol: 'NONE', port: 0 } };
    expect(outcome(resolve('10.7.7.7:80', [pod], { localWorkload }))).to.equal('10.0.0.2 80');
  });
  it('a service whose waypoint, by hostname, is this workload', () => {
    expect(as({ ...web, waypoint: byHost }, '10.1.0.1:80')).to.equal('10.0.0.2 80');
  });
  it('a service whose waypoint, by VIP, is this workload', () => {
    expect(as({ ...web, waypoint: byIp('10.1.0.9') }, '10.1.0.1:80')).to.equal('10.0.0.2 80');
  });
  it('a workload whose waypoint, by address, is this workload', () => {
    expect(
      as(workloadWith({ uid: 't', addresses: ['10.0.0.7'], waypoint: byIp('10.0.0.2') }), '10.0.0.7:80'),
    ).to.equal('10.0.0.2 80');
  });
  it('not a service whose waypoint is another', () => {
    expect(as({ ...web, waypoint: byHost }, '10.1.0.1:80', pod)).to.equal('400 authority-address-mismatch');
  });
  it('not a service that has no waypoint, or an unknown one', () => {
    expect(as(web, '10.1.0.1:80')).to.equal('400 authority-address-mismatch');
    expect(as({ ...web, waypoint: byIp('10.9.9.9') }, '10.1.0.1:80')).to.equal(
      '400 authority-address-mismatch',
    );
  });
  it('not a weighted waypoint', () => {
    const weightedWaypoints = [{ destination: byHost, weight: 1 }];
    expect(as({ ...web, weightedWaypoints }, '10.1.0.1:80')).to.equal('400 authority-address-mismatch');
  });
});

describe('resolveInbound: by hostname', () => {
  it('takes the target port of the service', () => {
    expect(outcome(resolve('web.example:80'))).to.equal('10.0.0.2 8080');
  });
  it("takes the endpoint's own mapping first", () => {
    const localWorkload = { ...pod, services: { 'ns/web.example': [port(80, 7070)] } };
    expect(outcome(resolve('web.example:80', [localWorkload, web], { localWorkload }))).to.equal(
      '10.0.0.2 7070',
    );
  });
  it('prefers the service of the own namespace', () => {
    const other = { ...web, namespace: 'a', ports: [port(80, 1)] };
    expect(outcome(resolve('web.example:80', [other, web]))).to.equal('10.0.0.2 8080');
  });
  it('refuses an unknown hostname', () => {
    expect(outcome(resolve('gone.example:80'))).to.equal('503 hostname-unknown');
  });
  it('refuses an unknown port and a named one that the endpoint does not tell', () => {
    expect(outcome(resolve('web.example:81'))).to.equal('503 target-port-unknown');
    expect(outcome(resolve('web.example:80', [pod, { ...web, ports: [port(80, 0)] }]))).to.equal(
      '503 target-port-unknown',
    );
  });
  it('refuses a service port that leads to a port of the proxy', () => {
    expect(outcome(resolve('web.example:80', [pod, { ...web, ports: [port(80, 15006)] }]))).to.equal(
      '503 proxy-port',
    );
  });
});

describe('resolveInbound: application tunnel', () => {
  const tunnel = (protocol: 'NONE' | 'PROXY', tunnelPort: number): Partial<InboundRequest> => ({
    localWorkload: { ...pod, applicationTunnel: { protocol, port: tunnelPort } },
  });
  const header = (found: ReturnType<typeof resolve>) =>
    found.kind === 'deliver' && found.proxyProtocolDestination;

  it('replaces the port', () => {
    expect(outcome(resolve('10.0.0.2:80', [pod], tunnel('NONE', 15088)))).to.equal('10.0.0.2 15088');
    expect(outcome(resolve('10.0.0.2:80', [pod], tunnel('NONE', 0)))).to.equal('10.0.0.2 80');
  });
  it('may replace it by a port that users must not call', () => {
    expect(outcome(resolve('10.0.0.2:80', [pod], tunnel('NONE', 15008)))).to.equal('10.0.0.2 15008');
  });
  it('does not excuse a call to a port of the proxy', () => {
    expect(outcome(resolve('10.0.0.2:15008', [pod], tunnel('NONE', 15088)))).to.equal('503 proxy-port');
  });
  it('NONE writes no header', () => {
    expect(header(resolve('10.7.7.7:80', [pod], tunnel('NONE', 0)))).to.equal(undefined);
  });
  it('PROXY writes the address of the authority', () => {
    expect(header(resolve('10.7.7.7:80', [pod], tunnel('PROXY', 15088)))).to.deep.equal({
      ip: '10.7.7.7',
      port: 80,
    });
  });
  const choices: [string, { network: string; ip: string }[], string][] = [
    ['the VIP and service port for a hostname', [vip('10.1.0.1')], '10.1.0.1'],
    ['IPv4 first', [vip('fd01::1'), vip('10.1.0.1')], '10.1.0.1'],
    ['the own network first', [vip('10.1.0.1', 'west'), vip('fd01::1')], 'fd01::1'],
    ['another network if there is no other', [vip('10.1.0.1', 'west')], '10.1.0.1'],
  ];
  for (const [name, addresses, ip] of choices) {
    it(`PROXY writes ${name}`, () => {
      const found = resolve('web.example:80', [pod, { ...web, addresses }], tunnel('PROXY', 15088));
      expect(header(found)).to.deep.equal({ ip, port: 80 });
      expect(outcome(found)).to.equal('10.0.0.2 15088');
    });
  }
  it('PROXY refuses a hostname without a VIP; NONE does not need one', () => {
    const headless = { ...web, addresses: [] };
    expect(outcome(resolve('web.example:80', [pod, headless], tunnel('PROXY', 15088)))).to.equal(
      '503 no-vip-for-proxy-protocol',
    );
    expect(outcome(resolve('web.example:80', [pod, headless], tunnel('NONE', 0)))).to.equal('10.0.0.2 8080');
  });
});

describe('refusePlaintextInbound', () => {
  it('refuses a port of the proxy at any address, and lets others go on', () => {
    expect(refusePlaintextInbound({ ip: '10.0.0.2', port: 15006 }, [15001, 15006])).to.include({
      reason: 'self-call',
    });
    expect(refusePlaintextInbound({ ip: '127.0.0.1', port: 15001 }, [15001, 15006])).to.include({
      reason: 'self-call',
    });
    expect(refusePlaintextInbound({ ip: '10.0.0.2', port: 8080 }, [15001, 15006])).to.equal(undefined);
  });
});

describe('guessInboundService', () => {
  const services = (...list: Service[]) => {
    const store = new MeshStore();
    store.apply(list.map((service): MeshUpdate => ({ kind: 'service', service })));
    return [...store.allServices()];
  };
  const api = { ...web, hostname: 'api.example', ports: [port(81, 9090)] };
  it('takes the forwarded hostname, if the workload has such a service', () => {
    expect(guessInboundService(services(web, api), pod, 8080, 'api.example')?.hostname).to.equal(
      'api.example',
    );
    expect(guessInboundService(services(web, api), pod, 8080, 'x')?.hostname).to.equal('web.example');
  });
  it('else the service with a port that leads there, a named one by the endpoint', () => {
    const named = { ...api, ports: [port(81, 0)] };
    const endpoint = { ...pod, services: { 'ns/api.example': [port(81, 9090)] } };
    expect(guessInboundService(services(web, named), endpoint, 9090, undefined)?.hostname).to.equal(
      'api.example',
    );
    expect(guessInboundService(services(web, api), pod, 1234, undefined)).to.equal(undefined);
  });
});
