import { once } from 'node:events';
import { connect as connectHttp2, createSecureServer } from 'node:http2';
import type { ClientHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { connectFrom, listenInside } from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, HBONE_PORT, useRig } from './rig.ts';
import { readClientHello } from './client-hello.ts';

const MIB = 1024 * 1024;

describe('what a peer of another make hears', () => {
  const undo: (() => void)[] = [];
  // Stands before that of the rig, which looks for what is left.
  afterEach(() => {
    for (const each of undo.splice(0).reverse()) each();
  });
  const rig = useRig();

  before(() => rig().admitAttacker());
  /** An HBONE server of Node.js in place of the attacker's proxy. */
  function serve(onConnection: (socket: Socket) => void): void {
    const sockets = new Set<Socket>();
    const server = listenInside(rig().attacker.netns, HBONE_PORT, (socket) => {
      sockets.add(socket);
      onConnection(socket);
    });
    undo.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }

  it('a ClientHello with ALPN and the groups of the mesh, without a server name or anything to resume', async () => {
    const hello = new Promise<Buffer>((resolve) => {
      serve((socket) => socket.once('data', resolve));
    });
    rig().callFromClient(rig().attacker.ipv4, 2000);
    const said = readClientHello(await hello);
    expect(said.versions).to.deep.equal([0x0304]);
    expect(said.suites).to.have.members([0x1302, 0x1301]); // AES-256-GCM, AES-128-GCM
    expect(said.protocols).to.deep.equal(['h2']);
    expect(said.groups).to.have.members([29, 23, 24, 4588]); // X25519, P-256, P-384, X25519MLKEM768
    const SERVER_NAME = 0;
    const SESSION_TICKET = 35;
    const PRE_SHARED_KEY = 41;
    for (const absent of [SERVER_NAME, SESSION_TICKET, PRE_SHARED_KEY])
      expect(said.extensions).not.to.include(absent);
  });

  it('the SETTINGS of a client, and a CONNECT with the headers of the mesh, in their order', async () => {
    const { credentials, attacker, client } = rig();
    const http2 = createSecureServer({ ...credentials, requestCert: true, rejectUnauthorized: false });
    serve((socket) => http2.emit('connection', socket));
    const asked = new Promise<[ServerHttp2Stream, string[]]>((resolve) => {
      http2.on('stream', (stream: ServerHttp2Stream, _headers, _flags, raw) => {
        resolve([stream, raw]);
      });
    });
    const call = rig().callFromClient(attacker.ipv4, 2001);
    const [stream, headers] = await asked;
    const session = stream.session!;
    expect(session.remoteSettings).to.include({
      initialWindowSize: 4 * MIB,
      maxFrameSize: MIB,
      enablePush: false,
      maxHeaderListSize: 16 * 1024,
    });
    expect(session.state.remoteWindowSize).to.equal(16 * MIB);
    const [forwarded, baggage, traceparent] = [headers[5], headers[7], headers[9]];
    expect(headers).to.deep.equal(
      [':method', 'CONNECT', ':authority', `${attacker.ipv4}:2001`]
        .concat('forwarded', forwarded!, 'baggage', baggage!)
        .concat('traceparent', traceparent!),
    );
    expect(forwarded).to.match(new RegExp(`^for="${client.ipv4}:[0-9]+"$`));
    expect(baggage).to.equal('k8s.cluster.name=Kubernetes,k8s.namespace.name=default');
    expect(traceparent).to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);

    stream.respond({ ':status': 200 });
    stream.end('from another make');
    call.send(Buffer.from('to another make'));
    stream.setEncoding('utf8');
    expect(await once(stream, 'data')).to.deep.equal(['to another make']);
  });

  describe('as a client of ours', () => {
    /** Asks our server over a connection of its own. @returns the answer's headers as they came */
    async function ask(authority: string): Promise<{ session: ClientHttp2Session; raw: string[] }> {
      const { attacker, server, credentials } = rig();
      const socket = connectFrom(attacker.netns, server.ipv4, HBONE_PORT);
      const options = {
        socket,
        ALPNProtocols: ['h2'],
        rejectUnauthorized: false,
        minVersion: 'TLSv1.3',
      } as const;
      const secure = connectTls({ ...credentials, ...options });
      let tickets = 0;
      secure.on('session', () => tickets++);
      const session = connectHttp2(`https://${authority}`, { createConnection: () => secure });
      undo.push(() => session.destroy());
      const stream = session.request({ ':method': 'CONNECT', ':authority': authority }, { endStream: false });
      stream.on('error', () => undefined);
      const [, , raw] = (await once(stream, 'response')) as [unknown, unknown, string[]];
      expect(secure.alpnProtocol).to.equal('h2');
      expect(secure.getProtocol()).to.equal('TLSv1.3');
      expect(tickets, 'session tickets').to.equal(0);
      return { session, raw };
    }

    it('the SETTINGS of a server, and 200 with what is known of the workload', async () => {
      const { session, raw } = await ask(`${rig().server.ipv4}:${ECHO_PORT}`);
      expect(session.remoteSettings).to.include({
        initialWindowSize: 4 * MIB,
        maxFrameSize: MIB,
        maxConcurrentStreams: 200,
        maxHeaderListSize: 64 * 1024,
      });
      expect(session.state.remoteWindowSize).to.equal(16 * MIB);
      expect(raw).to.deep.equal([
        ':status',
        '200',
        'baggage',
        'k8s.cluster.name=Kubernetes,k8s.namespace.name=default',
      ]);
    });

    it('errors as a bare status', async () => {
      const { server, attacker } = rig();
      for (const [authority, status] of [
        [`${attacker.ipv4}:80`, '400'],
        [`${server.ipv4}:15001`, '503'],
        [`${server.ipv4}:9`, '503'],
        ['nowhere.default.svc.cluster.local:80', '503'],
      ] as const)
        expect((await ask(authority)).raw, authority).to.deep.equal([':status', status]);
    });
  });
});
