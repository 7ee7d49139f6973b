import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { decode, encode } from 'dns-packet';
import type { DecodedPacket, Packet, RecordType } from 'dns-packet';
import { expect } from 'chai';
import fc from 'fast-check';
import { testLog } from '@ambient/kube/testing';
import { damagedBytes, fuzzBudget } from '@ambient/testkit';

import { parseDnsCommandLine } from './command-line.ts';
import { Forwarder } from './forwarder.ts';
import { dnsManifest } from './manifest.ts';
import { Resolver } from './resolver.ts';
import { DnsServer } from './server.ts';
import { framed, TcpMessages } from './tcp-messages.ts';
import { Zone } from './zone.ts';

/** Addresses of a Service that does not fit into one datagram. */
const many = Array.from({ length: 100 }, (_, index) => `10.244.0.${index}`);

function testResolver(upstreamPorts: readonly number[] = [], ready = true): Resolver {
  const entry = (key: string) =>
    key === 'shop/many' || key === 'shop/far'
      ? {
          service: {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: key.slice(5), namespace: 'shop', uid: key },
            spec:
              key === 'shop/far'
                ? { type: 'ExternalName', externalName: 'example.com' }
                : { clusterIPs: many, ports: [{ port: 80 }] },
          },
          slices: [],
        }
      : { service: undefined, slices: [] };
  return new Resolver({
    zone: new Zone({ entry, hasNamespace: (name) => name === 'shop' }),
    zoneName: 'cluster.local',
    forwarder: new Forwarder(
      upstreamPorts.map((port) => ({ address: '127.0.0.1', port })),
      200,
    ),
    isReady: () => ready,
    nowMs: () => 1000,
    random: () => 0,
    log: testLog(),
  });
}

function query(name: string, type: RecordType = 'A', more: Packet = {}): Buffer {
  return encode({ type: 'query', id: 4711, flags: 0x100, questions: [{ type, name }], ...more });
}

const edns = (udpPayloadSize: number): Packet => ({
  additionals: [
    {
      type: 'OPT',
      name: '.',
      udpPayloadSize,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    },
  ],
});

async function answered(
  resolver: Pick<Resolver, 'answer'>,
  message: Buffer,
  transport: 'udp' | 'tcp' = 'udp',
): Promise<DecodedPacket & { rcode: string; bytes: number }> {
  const answer = await resolver.answer(message, transport);
  const packet = decode(answer!) as DecodedPacket & { rcode: string };
  return { ...packet, bytes: answer!.length };
}

describe('the DNS server of the lab', () => {
  const name = 'many.shop.svc.cluster.local';
  const resolver = testResolver();

  it('says when an answer does not fit, and gives all of it by TCP', async () => {
    const plain = await answered(resolver, query(name));
    expect(plain).to.include({ id: 4711, flag_tc: true, flag_aa: true, flag_rd: true, flag_ra: false });
    expect(plain.bytes).to.be.within(400, 512);
    const larger = await answered(resolver, query(name, 'A', edns(65_535)));
    expect(larger.flag_tc).to.equal(true);
    expect(larger.bytes).to.be.within(1100, 1232);
    expect(larger.additionals?.map(({ type }) => type)).to.eql(['OPT']);
    const whole = await answered(resolver, query(name), 'tcp');
    expect(whole.flag_tc).to.equal(false);
    expect(whole.answers).to.have.length(100);
  });

  it('gives each client another order', async () => {
    const first = (await answered(resolver, query(name), 'tcp')).answers![0];
    expect(first).not.to.have.property('data', many[0]);
  });

  it('tells nobody that a name does not exist before it knows', async () => {
    const answer = await answered(testResolver([], false), query('none.shop.svc.cluster.local'));
    expect(answer.rcode).to.equal('SERVFAIL');
    expect((await answered(resolver, query('none.shop.svc.cluster.local'))).rcode).to.equal('NXDOMAIN');
  });

  it('refuses other names when it has nobody to ask, and answers types that it does not know', async () => {
    expect((await answered(resolver, query('example.com'))).rcode).to.equal('REFUSED');
    const https = await answered(resolver, query(name, 'UNKNOWN_65' as RecordType));
    expect(https).to.include({ rcode: 'NOERROR' });
    expect(https.answers).to.eql([]);
  });

  it('asks the next upstream when one is silent, and follows an external name there', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    const upstream = createSocket('udp4').bind(0, '127.0.0.1');
    await Promise.all([once(silent, 'listening'), once(upstream, 'listening')]);
    upstream.on('message', (message, peer) => {
      const { id = 0, questions = [] } = decode(message);
      const answers = [{ type: 'A' as const, name: questions[0]!.name, ttl: 1, data: '192.0.2.1' }];
      // First one that belongs to another question: nobody may be taken in by it.
      const forged = encode({ type: 'response', id: id ^ 1, questions, answers: [] });
      upstream.send(forged, peer.port, peer.address);
      upstream.send(encode({ type: 'response', id, questions, answers }), peer.port, peer.address);
    });
    const asking = testResolver([silent.address().port, upstream.address().port]);
    const answer = await answered(asking, query('example.com'));
    expect(answer).to.include({ id: 4711 });
    expect(answer.answers).to.have.length(1);
    const alias = await answered(asking, query('far.shop.svc.cluster.local'));
    expect(alias.answers!.map((each) => 'data' in each && each.data)).to.eql(['example.com', '192.0.2.1']);
    upstream.close();
    const failed = await answered(testResolver([silent.address().port]), query('example.com'));
    expect(failed.rcode).to.equal('SERVFAIL');
    silent.close();
  });

  it('serves UDP and TCP at one port, several questions on one connection', async () => {
    using server = await DnsServer.listen({ resolver, port: 0, host: '127.0.0.1' });
    const client = createSocket('udp4');
    client.send(query(name), server.port, '127.0.0.1');
    const [datagram] = (await once(client, 'message')) as [Buffer];
    client.close();
    expect(decode(datagram)).to.include({ id: 4711, flag_tc: true });
    const socket = connect(server.port, '127.0.0.1');
    const both = Buffer.concat([framed(query(name)), framed(query(name, 'AAAA'))]);
    // In pieces that end within a length and within a message.
    for (const [from, to] of [
      [0, 1],
      [1, 30],
      [30, both.length],
    ])
      socket.write(both.subarray(from, to));
    const got: Buffer[] = [];
    const messages = new TcpMessages((message) => got.push(Buffer.from(message)));
    for await (const chunk of socket) {
      messages.push(chunk as Buffer);
      if (got.length === 2) break;
    }
    expect(got.map((message) => decode(message).answers?.length).sort()).to.eql([0, 100]);
  });

  describe('is not troubled by', () => {
    const cases: readonly [string, Buffer, string | undefined][] = [
      ['an answer, which it does not answer', encode({ type: 'response', id: 1 }), undefined],
      ['a message without a whole header', Buffer.alloc(11), undefined],
      ['a question that is cut short', query(name).subarray(0, 20), 'FORMERR'],
      ['no question', encode({ type: 'query', id: 1 }), 'FORMERR'],
      [
        'two questions',
        encode({
          type: 'query',
          questions: [
            { type: 'A', name },
            { type: 'A', name },
          ],
        }),
        'FORMERR',
      ],
      [
        'a name that points to itself',
        Buffer.concat([query('a').subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
        'FORMERR',
      ],
      ['an update', Buffer.concat([Buffer.from([0, 7, 5 << 3, 0]), query(name).subarray(4)]), 'NOTIMP'],
    ];
    for (const [title, message, code] of cases)
      it(title, async () => {
        const answer = await resolver.answer(message, 'udp');
        if (code === undefined) expect(answer).to.equal(undefined);
        else expect(decode(answer!)).to.have.property('rcode', code);
      });

    it('whatever bytes: an answer to this client, or none [fuzz]', async () => {
      const valid = fc.constantFrom(
        query(name),
        query(name, 'SRV', edns(1232)),
        query('1.0.244.10.in-addr.arpa', 'PTR'),
      );
      await fc.assert(
        fc.asyncProperty(damagedBytes(valid), async (message) => {
          const bytes = Buffer.from(message);
          const answer = await resolver.answer(bytes, 'udp');
          if (answer === undefined) return;
          expect(answer.length).to.be.within(12, 1232);
          expect(answer.subarray(0, 2)).to.eql(bytes.subarray(0, 2));
          expect(answer[2]! & 0x80).to.equal(0x80);
        }),
        fuzzBudget(),
      );
    });
  });
});

describe('the program lab-dns', () => {
  it('refuses by name what it does not know', () => {
    for (const [words, problem] of [
      [['--port', '70000'], '--port 70000'],
      [['--ready-port', 'x'], '--ready-port x'],
      [['--upstream', 'dns.example'], '--upstream dns.example'],
      [['--nope'], '--nope'],
    ] as const)
      expect(parseDnsCommandLine(words)).to.have.property('problem').that.includes(problem);
    expect(parseDnsCommandLine(['--help'])).to.have.property('kind', 'help');
    expect(parseDnsCommandLine(['--upstream', '192.0.2.1'])).to.have.deep.nested.property(
      'options.upstreams',
      [{ address: '192.0.2.1', port: 53 }],
    );
  });

  it('is deployed as others are', () => {
    const objects = dnsManifest({ clusterIps: ['10.96.0.10', 'fd96::a'], upstreams: ['192.0.2.1'] });
    const found = objects.map(
      ({ kind, metadata }) => `${kind as string} ${(metadata as { name: string }).name}`,
    );
    expect(found).to.include.members(['Deployment coredns', 'Service kube-dns', 'ServiceAccount coredns']);
    const service = objects.at(-1) as { spec: object };
    expect(service.spec).to.include({ clusterIP: '10.96.0.10', ipFamilyPolicy: 'RequireDualStack' });
  });
});
