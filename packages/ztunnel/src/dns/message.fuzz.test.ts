import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import * as dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { answerLimit, setTtl, writeAnswer, writeFailure, writeTruncated } from './answer.ts';
import { answers, rcodes, readQuery } from './message.ts';
import { planAnswer } from './plan-answer.ts';
import { queryMessage, readAnswer, scopeOf, serviceAt, shopClient } from './testing/messages.ts';

const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join('.'));
const query = fc
  .record({
    name,
    id: fc.nat(0xffff),
    type: fc.constantFrom('A', 'AAAA', 'SRV', 'TXT'),
    edns: fc.option(fc.integer({ min: 512, max: 65_535 }), { nil: undefined }),
    dnssecOk: fc.boolean(),
  })
  .map(({ name: asked, edns, ...rest }) =>
    queryMessage(asked, edns === undefined ? rest : { ...rest, edns }),
  );
const out = Buffer.alloc(65_535);
const scope = scopeOf([
  serviceAt('shop', '*.example.com', '10.96.0.1', 'fd96::1'),
  serviceAt('shop', 'web.shop.svc.cluster.local', '10.96.0.2'),
]);

describe('DNS messages [fuzz]', () => {
  it('are read as another implementation reads them', () => {
    fc.assert(
      fc.property(query, (message) => {
        const read = readQuery(message, message.length);
        if (read.kind !== 'query') throw new Error(read.why);
        const { id, questions } = dnsPacket.decode(message);
        expect(read.query.id).equal(id);
        expect(read.query.name).equal(questions![0]!.name.toLowerCase());
      }),
      fuzzBudget(),
    );
  });

  it('that are damaged never throw, and whatever is answered can be read and fits', () => {
    fc.assert(
      fc.property(damagedBytes(query), fc.constantFrom('udp', 'tcp'), (message, protocol) => {
        const read = readQuery(message, message.length);
        if (read.kind !== 'query') return;
        const limit = answerLimit(read.query, protocol);
        const plan = planAnswer(scope, shopClient, read.query);
        const bytes =
          plan.kind === 'mesh'
            ? writeAnswer(out, message, read.query, plan.records, limit)
            : writeFailure(out, message, read.query, rcodes.SERVFAIL);
        expect(bytes).most(limit);
        expect(readAnswer(out.subarray(0, bytes)).id).equal(read.query.id);
        const question = Buffer.from(message.subarray(12, read.query.questionEnd));
        expect(answers(out, bytes, read.query.id, question)).equal(true);
      }),
      fuzzBudget(),
    );
  });

  it('of upstream that are damaged never throw, and a TTL is set to nothing else', () => {
    const upstream = name.map((asked) =>
      dnsPacket.encode({
        type: 'response',
        id: 7,
        questions: [{ name: asked, type: 'A' }],
        answers: [
          { name: asked, type: 'CNAME', ttl: 9, data: 'x.example' },
          { name: 'x.example', type: 'A', ttl: 9, data: '10.0.0.1' },
        ],
      }),
    );
    const asked = queryMessage('a.example');
    const read = readQuery(asked, asked.length);
    if (read.kind !== 'query') throw new Error(read.why);
    fc.assert(
      fc.property(damagedBytes(upstream), (message) => {
        if (!answers(message, message.length, 7, asked.subarray(12))) return;
        expect(writeTruncated(out, asked, read.query, message)).most(512);
        setTtl(message, message.length, read.query.questionEnd, 30);
      }),
      fuzzBudget(),
    );
  });
});
