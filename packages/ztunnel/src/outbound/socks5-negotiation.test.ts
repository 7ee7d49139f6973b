import { expect } from 'chai';
import fc from 'fast-check';
import type { SocksStep } from './socks5-negotiation.ts';
import { SocksNegotiation, socksReplies, socksReply } from './socks5-negotiation.ts';

const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** What a client is told, in hexadecimal, and how it ends: where to, or why not. */
function negotiate(text: string | Buffer): { said: string; end: string; rest: number } {
  const sent = typeof text === 'string' ? bytes(text) : text;
  const negotiation = new SocksNegotiation();
  let said = '';
  let at = 0;
  while (at + negotiation.wanted <= sent.length) {
    const { wanted } = negotiation;
    const step: SocksStep = negotiation.take(sent.subarray(at, at + wanted));
    at += wanted;
    if (step.kind !== 'connect') said += step.say.toString('hex');
    const rest = sent.length - at;
    if (step.kind === 'refuse') return { said, end: step.why, rest };
    if (step.kind === 'connect') {
      const { to } = step;
      return { said, end: `${to.kind === 'address' ? to.ip : to.hostname} ${to.port}`, rest };
    }
  }
  return { said, end: `${negotiation.wanted} more`, rest: sent.length - at };
}

describe('SocksNegotiation', () => {
  const requests: readonly (readonly [what: string, request: string, end: string])[] = [
    ['IPv4', '05 01 00 01 0a600001 0050', '10.96.0.1 80'],
    ['IPv6', '05 01 00 04 fd960000000000000000000000000001 01bb', 'fd96::1 443'],
    ['IPv4 as IPv6', '05 01 00 04 00000000000000000000ffff0a600001 0050', '10.96.0.1 80'],
    ['a hostname', '05 01 00 03 07 5765622e612e62 1f90', 'web.a.b 8080'],
    ['a hostname with its last dot', '05 01 00 03 04 7765622e 1f90', 'web 8080'],
    ['an address as a hostname', '05 01 00 03 09 31302e39362e302e31 0050', '10.96.0.1 80'],
  ];
  for (const [what, request, end] of requests)
    it(`takes ${what}, and leaves what comes behind it`, () => {
      expect(negotiate(`05 01 00 ${request} 47455420`)).deep.equal({ said: '0500', end, rest: 4 });
    });

  it('takes no authentication among other methods', () => {
    expect(negotiate('05 03 01 02 00 05010001 0a600001 0050')).include({ said: '0500', end: '10.96.0.1 80' });
  });

  const refused: readonly (readonly [what: string, request: string, said: string])[] = [
    ['SOCKS4', '04 01', ''],
    ['no method', '05 00', '05ff'],
    ['a password only', '05 01 02', '05ff'],
    ['another version in the request', '05 01 00 04 01 00 01', '0500'],
    ['BIND', '05 01 00 05 02 00 01', '0500 05070001000000000000'],
    ['UDP ASSOCIATE', '05 01 00 05 03 00 01', '0500 05070001000000000000'],
    ['an address of an unknown type', '05 01 00 05 01 00 02', '0500 05080001000000000000'],
    ['an empty hostname', '05 01 00 05 01 00 03 00', '0500 05010001000000000000'],
    ['a hostname with a line break', '05 01 00 05 01 00 03 03 610a62 0050', '0500 05040001000000000000'],
  ];
  for (const [what, request, said] of refused)
    it(`refuses ${what}`, () => {
      const outcome = negotiate(request);
      expect(outcome.said).equal(said.replaceAll(' ', ''));
      expect(outcome.end).match(/^an application asks for /);
    });

  it('asks for as many bytes as are due, and no more', () => {
    expect(negotiate('05').end).equal('2 more');
    expect(negotiate('05 02').end).equal('2 more');
    expect(negotiate('05 01 00').end).equal('4 more');
    expect(negotiate('05 01 00 05 01 00 01').end).equal('6 more');
    expect(negotiate('05 01 00 05 01 00 04').end).equal('18 more');
    expect(negotiate('05 01 00 05 01 00 03 ff').end).equal('257 more');
  });

  it('ends whatever is sent, and never asks for nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (sent) => {
        const outcome = negotiate(Buffer.concat([bytes('05 01 00 05 01 00'), sent]));
        expect(outcome.end).not.equal('0 more');
      }),
    );
  });

  it('says success without an address', () => {
    expect(socksReply(socksReplies.succeeded).toString('hex')).equal('05000001000000000000');
  });
});
