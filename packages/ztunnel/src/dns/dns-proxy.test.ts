import { IoBuffer, TcpListener, TcpSocket, UdpSocket, openDescriptors } from '@ambient/linux';
import type { Reactor, SocketAddress } from '@ambient/linux';
import { settle, testReactor, turnUntil } from '@ambient/hbone/testing';
import { CounterTable, LogLevels, Logger, silentSink } from '@ambient/runtime';
import { expect } from 'chai';
import * as dnsPacket from 'dns-packet';
import { metricDefinitions } from '../telemetry/metric-definitions.ts';
import { DnsMetrics } from './dns-metrics.ts';
import { DnsProxy } from './dns-proxy.ts';
import type { Answer, QuestionOptions } from './testing/messages.ts';
import { queryMessage, readAnswer, scopeOf, serviceAt, shopClient } from './testing/messages.ts';

const memory = new IoBuffer(65_536);
/** Nobody else has ports there, so that one that is free for UDP is free for TCP. */
const SERVER_IP = '127.53.0.1';
const PROXY_IP = '127.53.0.2';

/** Answers as the test has it, in the reactor of the proxy. */
class ScriptedServer {
  readonly udp = new UdpSocket({ ip: SERVER_IP, port: 0 });
  readonly questions: Buffer[] = [];
  readonly #reactor: Reactor;
  /** Called for each question; what it gives is sent. */
  answer: (question: Buffer, protocol: 'udp' | 'tcp') => readonly Buffer[] = () => [];
  readonly #tcp: TcpListener;
  /** Ends of connections that are open. */
  readonly #accepted = new Set<() => void>();
  #closed = false;

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
    const fault = (error: unknown): void => {
      throw error as Error;
    };
    reactor.registerReadable(this.udp.fd, { onReadiness: () => this.#take(), onFault: fault });
    this.#tcp = new TcpListener(
      reactor,
      this.address,
      { backlog: 8, reusePort: false },
      {
        onAccept: (socket) => this.#converse(socket),
        onAcceptPaused: () => {},
        onAcceptResumed: () => {},
        onFault: fault,
      },
    );
    this.#tcp.start();
  }

  get address(): SocketAddress {
    return this.udp.localAddress();
  }

  #take(): void {
    for (;;) {
      const length = this.udp.recv(memory, 0, 65_536);
      if (length < 0) return;
      const question = Buffer.from(memory.bytes.subarray(0, length));
      this.questions.push(question);
      const to = this.udp.sender!;
      for (const answer of this.answer(question, 'udp')) {
        answer.copy(memory.bytes);
        this.udp.send(memory, 0, answer.length, to);
      }
    }
  }

  #converse(socket: TcpSocket): void {
    const reactor = this.#reactor;
    const onFault = (): void => {
      reactor.unregister(socket.fd);
      socket.close();
      this.#accepted.delete(onFault);
    };
    this.#accepted.add(onFault);
    reactor.registerReadable(socket.fd, {
      onFault,
      onReadiness: () => {
        const length = socket.recv(memory, 0, 65_536);
        if (length <= 0) {
          onFault();
          return;
        }
        const question = Buffer.from(memory.bytes.subarray(2, length));
        this.questions.push(question);
        for (const answer of this.answer(question, 'tcp')) {
          memory.bytes.writeUInt16BE(answer.length, 0);
          answer.copy(memory.bytes, 2);
          socket.send(memory, 0, answer.length + 2);
        }
      },
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of [...this.#accepted]) end();
    this.#reactor.unregister(this.udp.fd);
    this.udp.close();
    this.#tcp.close();
  }
}

/** An answer of upstream to `question` with one TXT record of that many bytes. */
function upstreamAnswer(question: Buffer, { bytes = 4, flags = 0x8180, id = 0 } = {}): Buffer {
  const { id: asked, questions } = dnsPacket.decode(question);
  const { name } = questions![0]!;
  const pieces = Array.from({ length: Math.ceil(bytes / 200) }, () => 'x'.repeat(Math.min(bytes, 200)));
  const answer = dnsPacket.encode({
    type: 'response',
    id: (asked! + id) & 0xffff,
    questions: questions!,
    answers: [{ name, type: 'TXT', ttl: 3600, data: pieces }],
  });
  answer.writeUInt16BE(flags, 2);
  return answer;
}

describe('DnsProxy', () => {
  let reactor: Reactor;
  let upstream: ScriptedServer;
  let proxy: DnsProxy;
  let counters: CounterTable;
  let before: readonly number[];
  const clients: (UdpSocket | TcpSocket)[] = [];

  const open = (servers: readonly SocketAddress[], host = PROXY_IP, port = 0): DnsProxy => {
    counters = new CounterTable(metricDefinitions);
    const log = new Logger(new LogLevels('off', 'ztunnel'), silentSink, 'dns');
    const web = serviceAt('shop', 'web.shop.svc.cluster.local', '10.96.0.1', 'fd96::1');
    const scope = scopeOf([web]);
    const metrics = new DnsMetrics(counters);
    const workloads = {
      current: shopClient,
      sender: shopClient,
      find: () => undefined,
      findSender: () => undefined,
    };
    const made = new DnsProxy(
      { scope, servers, metrics, log, host, port },
      { reactor, workloads, dialOptions: {} },
    );
    made.start();
    return made;
  };

  beforeEach(() => {
    before = openDescriptors();
    reactor = testReactor();
    upstream = new ScriptedServer(reactor);
    proxy = open([upstream.address]);
  });

  afterEach(() => {
    proxy.close();
    upstream.close();
    for (const client of clients.splice(0)) client.close();
    reactor.close();
    expect(openDescriptors()).deep.equal(before);
  });

  const udpClient = (): UdpSocket => {
    const client = UdpSocket.connected(proxy.addresses[0]!);
    clients.push(client);
    return client;
  };

  const receive = (client: UdpSocket): Buffer => {
    let length = -1;
    turnUntil(reactor, 'an answer', () => (length = client.recvConnected(memory, 0, 65_536)) >= 0);
    return Buffer.from(memory.bytes.subarray(0, length));
  };

  const ask = (name: string, options?: QuestionOptions, client = udpClient()): Answer => {
    send(client, queryMessage(name, options));
    return readAnswer(receive(client));
  };

  const send = (client: UdpSocket, message: Buffer): void => {
    message.copy(memory.bytes);
    client.sendConnected(memory, 0, message.length);
  };

  const tcpClient = (): TcpSocket => {
    const client = TcpSocket.dial(proxy.addresses[0]!);
    clients.push(client);
    settle(reactor, 3);
    return client;
  };

  const sendTcp = (client: TcpSocket, ...messages: Buffer[]): void => {
    const bytes = Buffer.concat(
      messages.flatMap((message) => [Buffer.from([message.length >> 8, message.length & 255]), message]),
    );
    bytes.copy(memory.bytes);
    client.send(memory, 0, bytes.length);
  };

  /** Answers until there are `count` of them, or the end: then one more, which is empty. */
  const receiveTcp = (client: TcpSocket, count: number): Buffer[] => {
    let bytes = Buffer.alloc(0);
    const answers: Buffer[] = [];
    turnUntil(reactor, `${count} answers`, () => {
      for (;;) {
        const length = client.recv(memory, 0, 65_536);
        if (length > 0) bytes = Buffer.concat([bytes, memory.bytes.subarray(0, length)]);
        while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
          answers.push(bytes.subarray(2, 2 + bytes.readUInt16BE(0)));
          bytes = bytes.subarray(2 + bytes.readUInt16BE(0));
        }
        if (length === 0 || length === -2) answers.push(Buffer.alloc(0));
        if (length <= 0) return answers.length >= count;
      }
    });
    return answers;
  };

  const counted = (metric: string): number =>
    counters
      .drainDeltas(0)
      .filter((series) => series.metric === metric)
      .reduce((sum, series) => sum + ('delta' in series ? series.delta : series.observations.length), 0);

  it('answers from the mesh by UDP and by TCP', () => {
    expect(ask('web').records).deep.equal(['web A 10.96.0.1']);
    const client = tcpClient();
    sendTcp(client, queryMessage('web', { type: 'AAAA' }));
    expect(readAnswer(receiveTcp(client, 1)[0]!).records).deep.equal(['web AAAA fd96::1']);
    expect(upstream.questions).deep.equal([]);
    expect(counted('istio_dns_requests_total')).equal(2);
  });

  it('listens on both loopbacks', () => {
    const both = open([upstream.address], 'localhost', 15_054);
    expect(both.addresses.map(({ ip }) => ip)).deep.equal(['127.0.0.1', '::1']);
    both.close();
  });

  for (const type of ['SRV', 'TXT', 'HTTPS', 'A'])
    it(`forwards a question for ${type}, byte by byte but for its id`, () => {
      upstream.answer = (question) => [upstreamAnswer(question)];
      const message = queryMessage('Other.Example', { id: 0x4242, type, edns: 1400, dnssecOk: true });
      const client = udpClient();
      send(client, message);
      const answer = receive(client);
      expect(upstream.questions[0]!.subarray(2)).deep.equal(message.subarray(2));
      expect(answer.readUInt16BE(0)).equal(0x4242);
      expect(answer.subarray(2)).deep.equal(upstreamAnswer(upstream.questions[0]!).subarray(2));
      const seen = counters.drainDeltas(0).map(({ metric }) => metric);
      expect(seen).include('istio_dns_upstream_requests_total');
      expect(seen).include('istio_dns_upstream_request_duration_seconds');
      expect(seen).not.include('istio_dns_upstream_failures_total');
    });

  it('asks under ids and from ports that differ', () => {
    const ports = new Set<number>();
    upstream.answer = (question) => {
      ports.add(upstream.udp.sender!.port);
      return [upstreamAnswer(question)];
    };
    for (let i = 0; i < 20; i++) ask('other.example', { id: 1 });
    expect(ports.size).above(10);
    expect(new Set(upstream.questions.map((each) => each.readUInt16BE(0))).size).above(10);
  });

  it('passes over what is not the answer: another id, another question, a query, noise', () => {
    upstream.answer = (question) => {
      const other = queryMessage('evil.example', { id: question.readUInt16BE(0) });
      return [
        upstreamAnswer(question, { id: 1 }),
        upstreamAnswer(other),
        question,
        Buffer.from('noise'),
        upstreamAnswer(question, { flags: 0x8183 }),
      ];
    };
    expect(ask('other.example').rcode).equal('NXDOMAIN');
  });

  it('passes over an answer from another address', () => {
    const forger = new UdpSocket({ ip: PROXY_IP, port: 0 });
    clients.push(forger);
    upstream.answer = (question) => {
      const forged = upstreamAnswer(question, { flags: 0x8183 });
      forged.copy(memory.bytes);
      forger.send(memory, 0, forged.length, upstream.udp.sender!);
      return [upstreamAnswer(question)];
    };
    expect(ask('other.example', { type: 'TXT' }).rcode).equal('NOERROR');
  });

  it('asks by TCP what is cut off, and tells the client where it is still too long', () => {
    upstream.answer = (question, protocol) => [
      protocol === 'udp'
        ? upstreamAnswer(question, { flags: 0x8380 })
        : upstreamAnswer(question, { bytes: 800 }),
    ];
    expect(ask('big.example', { type: 'TXT', edns: 1232 })).deep.include({ truncated: false });
    const short = ask('big.example', { type: 'TXT' });
    expect(short).deep.include({ truncated: true, records: [] });
    const client = tcpClient();
    sendTcp(client, queryMessage('big.example', { type: 'TXT' }));
    expect(receiveTcp(client, 1)[0]!.length).above(800);
  });

  it('says SERVFAIL at once when nobody listens upstream, and then what it knows from before', () => {
    upstream.answer = (question) => [upstreamAnswer(question)];
    ask('other.example', { type: 'TXT' });
    upstream.close();
    counters.drainDeltas(0);
    const stale = ask('other.example', { id: 99, type: 'TXT' });
    expect(stale).deep.include({ id: 99, rcode: 'NOERROR' });
    expect(stale.packet.answers![0]).include({ ttl: 30 });
    expect(ask('third.example', { type: 'TXT' }).rcode).equal('SERVFAIL');
    expect(counted('istio_dns_upstream_failures_total')).equal(2);
  });

  it('by TCP takes questions one after the other, together and in pieces', () => {
    const client = tcpClient();
    const [a, aaaa] = [queryMessage('web', { id: 1 }), queryMessage('web', { id: 2, type: 'AAAA' })];
    sendTcp(client, a, aaaa, a);
    expect(receiveTcp(client, 3).map((answer) => answer.readUInt16BE(0))).deep.equal([1, 2, 1]);
    for (const byte of Buffer.concat([Buffer.from([0, a.length]), a])) {
      memory.bytes[0] = byte;
      client.send(memory, 0, 1);
      settle(reactor, 1);
    }
    expect(receiveTcp(client, 1)).length(1);
  });

  it('by TCP takes thousands of questions at once', () => {
    const client = tcpClient();
    const many = Array.from({ length: 1000 }, (_, id) => queryMessage('web', { id }));
    sendTcp(client, ...many);
    const ids = receiveTcp(client, 1000).map((answer) => answer.readUInt16BE(0));
    expect(ids).deep.equal(many.map((_, id) => id));
  });

  it('by TCP answers all that was asked before the client ended its half', () => {
    const held: Buffer[] = [];
    upstream.answer = (question) => (held.push(question), []);
    const client = tcpClient();
    sendTcp(client, queryMessage('other.example', { id: 1 }), queryMessage('web', { id: 2 }));
    client.shutdownWrite();
    turnUntil(reactor, 'the question upstream', () => held.length === 1);
    proxy.drain();
    upstream.answer = (question) => [upstreamAnswer(question)];
    const answers = receiveTcp(client, 3);
    expect(answers.map((answer) => (answer.length === 0 ? 'end' : answer.readUInt16BE(0)))).deep.equal([
      2,
      1,
      'end',
    ]);
  }).timeout(8000);

  for (const [name, message] of [
    ['a response', Buffer.from('0007818000010000000000000377656200000100', 'hex')],
    ['less than a header', Buffer.from('0007', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ] as const)
    it(`hostile, by TCP: ${name} ends the connection; by UDP it is passed over`, () => {
      const client = tcpClient();
      sendTcp(client, message);
      expect(receiveTcp(client, 1)[0]!.length).equal(0);
      const udp = udpClient();
      send(udp, message);
      expect(ask('web', {}, udp).records).length(1);
    });

  it('hostile: a question that cannot be read is answered by FORMERR', () => {
    const client = udpClient();
    send(client, queryMessage('web').subarray(0, 15));
    const answer = receive(client);
    expect([answer.length, answer[3]! & 15]).deep.equal([12, 1]);
  });

  it('hostile: more connections than a pod may have close the oldest idle one', () => {
    const first = tcpClient();
    for (let i = 0; i < 128; i++) tcpClient();
    expect(receiveTcp(first, 1)[0]!.length).equal(0);
    const last = tcpClient();
    sendTcp(last, queryMessage('web'));
    expect(receiveTcp(last, 1)).length(1);
  });

  it('hostile: zone transfers and unknown versions of EDNS are refused by name', () => {
    const client = tcpClient();
    sendTcp(client, queryMessage('example.com', { type: 'AXFR' }));
    expect(readAnswer(receiveTcp(client, 1)[0]!).rcode).equal('REFUSED');
    const message = queryMessage('web', { edns: 1232 });
    message[message.length - 5] = 1;
    const udp = udpClient();
    send(udp, message);
    expect(readAnswer(receive(udp)).packet.additionals![0]).include({ extendedRcode: 1 });
  });

  it('that drains answers what it has taken, and leaves what comes to another', () => {
    const held: Buffer[] = [];
    upstream.answer = (question) => (held.push(question), []);
    const client = udpClient();
    send(client, queryMessage('other.example', { id: 5 }));
    turnUntil(reactor, 'the question upstream', () => held.length === 1);
    const young = new UdpSocket(proxy.addresses[0]!, { reusePort: true });
    clients.push(young);
    proxy.drain();
    expect(proxy.waiting).equal(1);
    upstream.answer = (question) => [upstreamAnswer(question)];
    const later = udpClient();
    send(later, queryMessage('web'));
    expect(young.recv(memory, 0, 512)).above(0);
    expect(receive(client).readUInt16BE(0)).equal(5);
    expect(proxy.waiting).equal(0);
  });
});
