import { damagedText, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import type { ConnectRequest } from './connect-headers.ts';
import { decodeBaggage, decodeConnect, encodeBaggage, encodeConnect } from './connect-headers.ts';

/** Byte strings, as HTTP/2 hands them on: one character per byte, without what a field value may not hold. */
const valueOf = (text: string): string => text.replace(/[^\t -~\u0080-\u00ff]/g, '').trim();

const forwarded = damagedText(
  fc.constantFrom(
    'for="10.0.0.9:4711";host=web.shop.svc.cluster.local',
    'for="[fd00::1]:5"',
    'For=10.0.0.1 ; HOST="a.b"; proto=http, for=two',
    '',
  ),
  ['"', '\\"', '\\', ';', ',', '=', ' ', 'for=', 'host=', 'by=', '\u00ff', '"";', 'for="a;host=evil"'],
).map(valueOf);
const baggage = damagedText(
  fc.constantFrom(
    'k8s.cluster.name=Kubernetes,k8s.namespace.name=shop,k8s.deployment.name=cart,service.name=cart',
    'service.version=v1, cloud.region = r1 ,cloud.availability_zone=z1;p=1',
    '',
  ),
  [',', '=', ';', ' ', '%2C', 'k8s.pod.name=', '__proto__=', 'constructor=', 'service.name', '\u00ff', ',,'],
).map(valueOf);
const traceparent = damagedText(fc.constant(`00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`), [
  '-',
  '0',
  'ff',
  ' ',
  'g',
]).map(valueOf);

/** Without the backslashes that a quoted value may lose. */
const plain = (text: string): string => text.replaceAll('\\', '');

const noFacts = decodeBaggage('');

describe('CONNECT headers under fuzz', () => {
  it('are decoded to texts or nothing, and what is decoded is at most what was there [fuzz]', () => {
    const names = fc.constantFrom(
      'forwarded',
      'baggage',
      'traceparent',
      'x-forwarded-network',
      ':authority',
      'x',
    );
    const fields = fc.array(fc.tuple(names, fc.oneof(forwarded, baggage, traceparent)), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom('CONNECT', 'connect', 'GET'), fields, (method, given) => {
        const request = decodeConnect([':method', method, ...given.flat()]);
        expect(request !== undefined).to.equal(method === 'CONNECT');
        for (const [key, value] of Object.entries(request ?? {})) {
          if (value === undefined || value === '') continue;
          expect(value).to.be.a('string');
          expect(
            given.some(([, text]) => plain(text).includes(plain(String(value)))),
            key,
          ).to.equal(true);
        }
        if (request?.traceparent !== undefined) expect(request.traceparent).to.have.lengthOf(55);
      }),
      fuzzBudget(),
    );
  });

  it('come back as they were sent [fuzz]', () => {
    const token = fc.stringMatching(/^[!#-+\--:<-[\]-~]{1,30}$/);
    const request: fc.Arbitrary<ConnectRequest> = fc
      .record({
        authority: token,
        forwardedFor: fc.option(token, { nil: undefined }),
        forwardedHost: fc.option(fc.stringMatching(/^[a-z0-9.-]{1,30}$/), { nil: undefined }),
        baggage: fc.option(
          baggage.map((text) => text || 'a=b'),
          { nil: undefined },
        ),
        traceparent: fc.option(fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`), { nil: undefined }),
        network: fc.option(token, { nil: undefined }),
      })
      // A host travels beside the client's address only.
      .map((made) => (made.forwardedFor === undefined ? { ...made, forwardedHost: undefined } : made));
    fc.assert(
      fc.property(request, (sent) => {
        expect(decodeConnect(encodeConnect(sent))).to.deep.equal(sent);
      }),
      fuzzBudget(),
    );
  });

  it('a quoted value is one value, whatever it holds [fuzz]', () => {
    const quoted = fc.array(fc.constantFrom('a', ';', ',', '=', 'host=evil', '\\"', '\\\\', ' '), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(quoted, (pieces) => {
        const header = `for="${pieces.join('')}";host=good`;
        const request = decodeConnect([':method', 'CONNECT', ':authority', 'x:1', 'forwarded', header])!;
        expect(request.forwardedHost).to.equal('good');
        expect(request.forwardedFor).to.equal(pieces.map((piece) => piece.replace(/^\\/, '')).join(''));
      }),
      fuzzBudget(),
    );
  });

  it('baggage of any shape gives facts, all of them text, and they read the same again [fuzz]', () => {
    fc.assert(
      fc.property(baggage, (text) => {
        const facts = decodeBaggage(text);
        expect(Object.keys(facts)).to.deep.equal(Object.keys(noFacts));
        for (const value of Object.values(facts)) expect(value).to.be.a('string');
        // A type without a name is not written.
        const again = decodeBaggage(encodeBaggage(facts));
        expect(again).to.deep.equal(facts.workloadName === '' ? { ...facts, workloadType: '' } : facts);
      }),
      fuzzBudget(),
    );
  });
});
