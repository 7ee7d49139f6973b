import { settle, turnUntil } from '@ambient/hbone/testing';
import { IoBuffer, openDescriptors, TcpSocket } from '@ambient/linux';
import { serviceWith, workloadWith } from '@ambient/mesh';
import type { Workload } from '@ambient/mesh';
import { expect } from 'chai';
import { scopeOf } from '../dns/testing/messages.ts';
import { PausedTimers } from '../testing/paused-timers.ts';
import { TestApplication, TestApplicationServer } from '../testing/test-application.ts';
import type { TestWorker } from '../testing/worker-context.ts';
import { testWorker } from '../testing/worker-context.ts';
import type { LocalWorkloads, WorkerContext } from '../worker/context.ts';
import { Socks5Listener } from './socks5-listener.ts';

const source = workloadWith({ uid: 'client', name: 'client-1', namespace: 'a', serviceAccount: 'client' });
const known: LocalWorkloads = {
  find: (use) => {
    use(source);
  },
  findSender: (use) => {
    use(source);
  },
  current: source,
  sender: source,
};
const memory = new IoBuffer(512);
const SUCCESS = '05000001000000000000';

const word = (value: number): string => value.toString(16).padStart(4, '0');
const address = (ip: string, port: number): string =>
  `05010001${Buffer.from(ip.split('.').map(Number)).toString('hex')}${word(port)}`;
const named = (hostname: string, port: number): string =>
  `05010003${hostname.length.toString(16).padStart(2, '0')}${Buffer.from(hostname).toString('hex')}${word(port)}`;

describe('Socks5Listener', () => {
  let worker: TestWorker;
  let listener: Socks5Listener;
  let server: TestApplicationServer;
  let clients: TestApplication[];
  let openBefore: number;

  beforeEach(async () => {
    openBefore = openDescriptors().length;
    worker = await testWorker();
    server = new TestApplicationServer(worker.reactor);
    clients = [];
  });
  afterEach(() => {
    for (const client of clients) client.close();
    listener.close();
    server.close();
    settle(worker.reactor);
    expect(worker.connections.size, 'live connections').equal(0);
    worker.close();
    expect(openDescriptors().length, 'descriptors leaked').equal(openBefore);
  });

  function listen(change: Partial<WorkerContext> = {}, workloads = known): void {
    listener = new Socks5Listener({ ...worker, ...change }, { ip: '127.0.0.1', port: 0 }, workloads);
    listener.start();
  }

  /** An application that says all of this at once. */
  function client(hex: string, text = ''): TestApplication {
    const application = new TestApplication(
      worker.reactor,
      TcpSocket.dial({ ip: '127.0.0.1', port: listener.port }),
    );
    clients.push(application);
    settle(worker.reactor, 3);
    const said = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.from(text)]);
    memory.bytes.set(said);
    application.socket.send(memory, 0, said.length);
    return application;
  }

  const heard = (application: TestApplication): string => application.received.toString('hex');
  function hears(application: TestApplication, hex: string): void {
    turnUntil(worker.reactor, hex, () => heard(application).length >= hex.length || application.ended);
    expect(heard(application)).equal(hex);
  }
  function ends(application: TestApplication, hex: string, reason: string): void {
    turnUntil(worker.reactor, 'the end', () => application.ended || application.failed);
    expect(heard(application)).equal(hex);
    expect(worker.lines.map(({ message, fields }) => [message, fields['reason']])).deep.equal([
      ['connection failed', reason],
    ]);
  }

  it('connects to an address, and carries what comes behind the request and back', () => {
    listen();
    const { ip, port } = server.address;
    const application = client(`050100${address(ip, port)}`, 'early');
    turnUntil(worker.reactor, 'the bytes', () => server.accepted[0]?.received.toString() === 'early');
    server.accepted[0]!.send('late');
    hears(application, `0500${SUCCESS}${Buffer.from('late').toString('hex')}`);
  });

  /** A service of the mesh whose only endpoint is the server. */
  function meshWithWeb(): { readonly endpoint: Workload } {
    const hostname = 'web.a.svc.cluster.local';
    const ports = [{ servicePort: 80, targetPort: server.address.port, appProtocol: 'UNKNOWN' as const }];
    const endpoint = workloadWith({
      uid: 'web',
      name: 'web-1',
      namespace: 'a',
      addresses: [server.address.ip],
      services: { [`a/${hostname}`]: ports },
    });
    const addresses = [{ network: '', ip: '10.96.0.1' }];
    worker.store.apply([
      { kind: 'service', service: serviceWith({ name: 'web', namespace: 'a', hostname, addresses, ports }) },
      { kind: 'workload', workload: endpoint },
    ]);
    return { endpoint };
  }

  it('connects to a service of the mesh, by the name that it has for the pod', () => {
    meshWithWeb();
    listen({ dns: { scope: { ...scopeOf([]), store: worker.store } } as unknown as WorkerContext['dns'] });
    const application = client(`050100${named('web', 80)}`);
    turnUntil(worker.reactor, 'the connection', () => server.accepted.length === 1);
    hears(application, `0500${SUCCESS}`);
    application.close();
    server.accepted[0]!.close();
    turnUntil(worker.reactor, 'its end', () => worker.connections.size === 0);
    expect(worker.lines.at(-1)?.fields).include({
      'dst.service': 'web.a.svc.cluster.local',
      'dst.workload': 'web-1',
      'src.workload': 'client-1',
    });
  });

  it('connects to a name outside the mesh, by IPv4 if it has both', () => {
    const asked: string[] = [];
    listen({
      resolve: (hostname, use) => {
        asked.push(hostname);
        use(['fd00::1', server.address.ip], undefined);
      },
    });
    const application = client(`050100${named('Example.COM.', server.address.port)}`);
    turnUntil(worker.reactor, 'the connection', () => server.accepted.length === 1);
    hears(application, `0500${SUCCESS}`);
    expect(asked).deep.equal(['example.com']);
  });

  it('says that a name does not resolve', () => {
    listen({
      resolve: (_, use) => {
        use([], 'ENOTFOUND');
      },
    });
    ends(client(`050100${named('nowhere', 80)}`), '050005040001000000000000', 'hostname-unresolved');
  });

  it('says that a service of the mesh has no address, and asks nobody else for it', () => {
    const hostname = 'headless.a.svc.cluster.local';
    worker.store.apply([{ kind: 'service', service: serviceWith({ namespace: 'a', hostname }) }]);
    listen({
      dns: { scope: { ...scopeOf([]), store: worker.store } } as unknown as WorkerContext['dns'],
      resolve: () => {
        throw new Error('asked outside the mesh');
      },
    });
    ends(client(`050100${named('headless', 80)}`), '050005040001000000000000', 'hostname-unresolved');
  });

  it('refuses what it does not serve', () => {
    listen();
    ends(client('05010005020001'), '050005070001000000000000', 'socks-request');
  });

  it('refuses another protocol without a word', () => {
    listen();
    ends(client('474554202f'), '', 'socks-request');
  });

  it('says success, and then closes, where there is no way', () => {
    listen({ selfPorts: [15_080] });
    ends(client(`050100${address('127.0.0.1', 15_080)}`), `0500${SUCCESS}`, 'self-call');
  });

  it('gives up when nobody knows the pod', () => {
    const unknown: LocalWorkloads = {
      find: (use) => {
        use(undefined);
      },
      findSender: (use) => {
        use(undefined);
      },
      current: undefined,
      sender: undefined,
    };
    listen({}, unknown);
    ends(client(`050100${address('10.0.0.1', 80)}`), '050005010001000000000000', 'own-workload-unknown');
  });

  it('closes those that are still being asked, and those whose name is being resolved', () => {
    let answer: (() => void) | undefined;
    listen({
      resolve: (_, use) => {
        answer = (): void => {
          use(['127.0.0.1'], undefined);
        };
      },
    });
    const waiting = client(`050100${named('slow', 80)}`);
    const silent = client('05');
    turnUntil(worker.reactor, 'the question', () => answer !== undefined);
    listener.close();
    answer!();
    turnUntil(worker.reactor, 'both ends', () =>
      [waiting, silent].every(({ ended, failed }) => ended || failed),
    );
    expect(server.accepted).deep.equal([]);
  });

  it('takes a request that comes byte by byte', () => {
    listen();
    const { ip, port } = server.address;
    const application = client('');
    for (const byte of Buffer.from(`050100${address(ip, port)}`, 'hex')) {
      memory.bytes[0] = byte;
      application.socket.send(memory, 0, 1);
      settle(worker.reactor, 2);
    }
    hears(application, `0500${SUCCESS}`);
  });

  it('waits ten seconds for a request, and not for ever', () => {
    const timers = new PausedTimers();
    const reactor = new Proxy(worker.reactor, {
      get: (target, key) => {
        const from = key === 'setTimer' || key === 'cancelTimer' ? timers.reactor : target;
        const value: unknown = Reflect.get(from, key, from);
        return typeof value === 'function' ? (value.bind(from) as unknown) : value;
      },
    });
    listen({ reactor });
    const silent = client('0501');
    turnUntil(worker.reactor, 'the connection', () => timers.count === 1);
    timers.advance(9_999);
    settle(worker.reactor);
    expect(silent.ended).equal(false);
    timers.advance(1);
    ends(silent, '', 'socks-request');
  });

  it('holds no more of those that do not say where to than it may', () => {
    listen();
    for (let i = 0; i < 128; i++) client('');
    settle(worker.reactor, 50);
    ends(client(''), '', 'socks-request');
    expect(clients.slice(0, 128).some(({ ended, failed }) => ended || failed)).equal(false);
  });
});
