import { expect } from 'chai';
import * as dnsPacket from 'dns-packet';
import type { MeshRecords } from './answer.ts';
import { answerLimit, setTtl, writeAnswer, writeFailure, writeRefusal, writeTruncated } from './answer.ts';
import { rcodes } from './message.ts';
import { parsedQuery, queryMessage, readAnswer } from './testing/messages.ts';
import type { Answer } from './testing/messages.ts';

const out = Buffer.alloc(65_535);

function answerTo(
  message: Buffer,
  records: Partial<MeshRecords>,
  protocol: 'udp' | 'tcp' = 'udp',
): Answer & { bytes: number } {
  const query = parsedQuery(message);
  const all = { canonicalName: undefined, addresses: [], ...records };
  const bytes = writeAnswer(out, message, query, all, answerLimit(query, protocol));
  return { ...readAnswer(out.subarray(0, bytes)), bytes };
}

const many = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`);

describe('writeAnswer', () => {
  it('has id, question and opcode of the query, AA and RA, and 30 s to live', () => {
    const told = answerTo(queryMessage('WeB.example', { id: 77 }), { addresses: ['10.0.0.1', '10.0.0.2'] });
    expect(told).deep.include({ id: 77, rcode: 'NOERROR', authoritative: true, truncated: false });
    expect(told.records).deep.equal(['WeB.example A 10.0.0.1', 'WeB.example A 10.0.0.2']);
    expect(told.packet).include({ flag_qr: true, flag_ra: true, flag_rd: true, flag_ad: false });
    expect(told.packet.questions).deep.equal([{ name: 'WeB.example', type: 'A', class: 'IN' }]);
    expect(told.packet.answers![0]).include({ ttl: 30, class: 'IN' });
    expect(told.packet.additionals).deep.equal([]);
  });

  it('names the canonical name by a CNAME, and gives it the addresses', () => {
    const message = queryMessage('api.example.com.shop.svc.cluster.local', { type: 'AAAA' });
    const told = answerTo(message, { canonicalName: 'api.example.com', addresses: ['fd00::1'] });
    expect(told.records).deep.equal([
      'api.example.com.shop.svc.cluster.local CNAME api.example.com',
      'api.example.com AAAA fd00::1',
    ]);
  });

  it('without an address is NOERROR and empty', () => {
    expect(answerTo(queryMessage('web'), {})).deep.include({ rcode: 'NOERROR', records: [] });
  });

  it('keeps CD and not AD, and RD only where it was', () => {
    expect(answerTo(queryMessage('web', { flags: 0x0030 }), {}).packet).include({
      flag_cd: true,
      flag_ad: false,
      flag_rd: false,
    });
  });

  it('speaks EDNS with who does, and keeps DO', () => {
    const told = answerTo(queryMessage('web', { edns: 4096, dnssecOk: true }), {});
    expect(told.packet.additionals).length(1);
    expect(told.packet.additionals![0]).deep.include({
      type: 'OPT',
      udpPayloadSize: 1232,
      ednsVersion: 0,
      flag_do: true,
    });
  });

  for (const [edns, limit, expected] of [
    [undefined, 512, 30],
    [512, 512, 30],
    [1232, 1232, 75],
    [65_535, 65_507, 1000],
  ] as const)
    it(`by UDP fits what the client takes: ${edns ?? 'no'} EDNS, ${limit} bytes`, () => {
      const options = edns === undefined ? {} : { edns };
      const told = answerTo(queryMessage('db', options), { addresses: many(1000) });
      expect(told.bytes).most(limit);
      expect(told.records).length(expected);
      expect(told.truncated).equal(expected < 1000);
    });

  it('by TCP fits into a length of 16 bits', () => {
    const told = answerTo(queryMessage('db'), { addresses: many(5000) }, 'tcp');
    expect(told.bytes).within(65_500, 65_535);
    expect(told.truncated).equal(true);
  });
});

describe('writeFailure', () => {
  const failure = (message: Buffer, rcode: 2 | 16): Answer =>
    readAnswer(out.subarray(0, writeFailure(out, message, parsedQuery(message), rcode)));

  it('says a code and nothing else', () => {
    const told = failure(queryMessage('web', { id: 5 }), rcodes.SERVFAIL);
    expect(told).deep.include({ id: 5, rcode: 'SERVFAIL', authoritative: false, records: [] });
    expect(told.packet.questions).length(1);
  });

  it('splits a code that needs EDNS', () => {
    const told = failure(queryMessage('web', { edns: 1232 }), rcodes.BADVERS);
    expect(told.rcode).equal('NOERROR');
    expect(told.packet.additionals![0]).include({ extendedRcode: 1 });
  });
});

describe('writeRefusal', () => {
  it('keeps id, opcode and RD, which is all that can be known', () => {
    const message = queryMessage('web', { id: 5, flags: 0x2930 });
    const bytes = writeRefusal(out, message, rcodes.FORMERR);
    expect(readAnswer(out.subarray(0, bytes)).rcode).equal('FORMERR');
    expect(out.readUInt16BE(0)).equal(5);
    expect(out.readUInt16BE(2)).equal(0x8000 | 0x2900 | 0x0080 | 1);
  });
});

describe('writeTruncated', () => {
  it('keeps the flags and has TC and no record', () => {
    const message = queryMessage('big.example', { id: 3, type: 'TXT' });
    const upstream = dnsPacket.encode({
      type: 'response',
      id: 99,
      flags: 0x0180,
      questions: [{ name: 'big.example', type: 'TXT' }],
      answers: [{ name: 'big.example', type: 'TXT', data: 'x' }],
    });
    const bytes = writeTruncated(out, message, parsedQuery(message), upstream);
    expect(readAnswer(out.subarray(0, bytes))).deep.include({ id: 3, truncated: true, records: [] });
  });
});

describe('setTtl', () => {
  const upstream = (): Buffer =>
    dnsPacket.encode({
      type: 'response',
      id: 1,
      questions: [{ name: 'a.example', type: 'A' }],
      answers: [
        { name: 'a.example', type: 'CNAME', ttl: 3600, data: 'b.example' },
        { name: 'b.example', type: 'A', ttl: 5, data: '10.0.0.1' },
      ],
      authorities: [{ name: 'example', type: 'NS', ttl: 86_400, data: 'ns.example' }],
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0x8000,
          flag_do: true,
          options: [],
        },
      ],
    });
  const questionEnd = 12 + 11 + 4;

  it('sets it everywhere but in OPT', () => {
    const message = upstream();
    expect(setTtl(message, message.length, questionEnd, 30)).equal(true);
    const { answers, authorities, additionals } = dnsPacket.decode(message);
    expect([...answers!, ...authorities!].map((record) => ('ttl' in record ? record.ttl : 0))).deep.equal([
      30, 30, 30,
    ]);
    expect(additionals![0]).deep.include({ type: 'OPT', udpPayloadSize: 1232, flag_do: true });
  });

  it('refuses what is cut off anywhere', () => {
    const message = upstream();
    for (let length = questionEnd; length < message.length; length++)
      expect(setTtl(upstream(), length, questionEnd, 30), `${length}`).equal(false);
  });
});
