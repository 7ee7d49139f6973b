import { expect } from 'chai';
import { connectFrame, headersFrame } from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, useRig } from './rig.ts';

interface Shape {
  readonly name: string;
  /** Fields of the request; a text is the authority of a plain CONNECT. */
  readonly request: string | readonly string[];
  readonly answer: string;
  readonly reason: string;
}

describe('requests that an HBONE server refuses', () => {
  const rig = useRig();
  const at = (port: number | string): string => `10.77.0.2:${port}`; // the second pod: server

  const shapes: readonly Shape[] = [
    {
      name: 'GET',
      request: [':method', 'GET', ':scheme', 'https', ':path', '/', ':authority', at(80)],
      answer: '400',
      reason: 'bad-request',
    },
    { name: 'an authority without a port', request: '10.77.0.2', answer: '400', reason: 'authority-invalid' },
    { name: 'port 0', request: at(0), answer: '400', reason: 'authority-invalid' },
    { name: 'port 65536', request: at(65_536), answer: '400', reason: 'authority-invalid' },
    { name: 'a port that is a word', request: at('http'), answer: '400', reason: 'authority-invalid' },
    { name: 'IPv6 without brackets', request: 'fd77::2:80', answer: '400', reason: 'authority-invalid' },
    { name: 'an authority with a space', request: 'a b:80', answer: '400', reason: 'authority-invalid' },
    {
      name: 'an address of another pod',
      request: '10.77.0.1:80',
      answer: '400',
      reason: 'authority-address-mismatch',
    },
    { name: 'loopback', request: '127.0.0.1:80', answer: '400', reason: 'authority-address-mismatch' },
    {
      name: 'an unknown hostname',
      request: 'nowhere.default.svc.cluster.local:80',
      answer: '503',
      reason: 'hostname-unknown',
    },
    { name: 'the outbound port of the proxy', request: at(15_001), answer: '503', reason: 'proxy-port' },
    { name: 'the plaintext port of the proxy', request: at(15_006), answer: '503', reason: 'proxy-port' },
    { name: 'the HBONE port of the proxy', request: at(15_008), answer: '503', reason: 'proxy-port' },
    {
      name: 'a port that nobody listens on',
      request: at(9),
      answer: '503',
      reason: 'application-unreachable',
    },
    {
      name: 'CONNECT with :scheme and :path',
      request: [':method', 'CONNECT', ':scheme', 'https', ':path', '/', ':authority', at(80)],
      answer: 'reset PROTOCOL_ERROR',
      reason: 'malformed-message',
    },
    {
      name: 'CONNECT without :authority',
      request: [':method', 'CONNECT'],
      answer: 'reset PROTOCOL_ERROR',
      reason: 'malformed-message',
    },
    {
      name: 'CONNECT with an empty :authority',
      request: [':method', 'CONNECT', ':authority', ''],
      answer: 'reset PROTOCOL_ERROR',
      reason: 'malformed-message',
    },
    {
      name: 'extended CONNECT, which was not offered',
      request: [
        ':method',
        'CONNECT',
        ':protocol',
        'websocket',
        ':scheme',
        'https',
        ':path',
        '/',
        ':authority',
        at(80),
      ],
      answer: 'reset PROTOCOL_ERROR',
      reason: 'malformed-message',
    },
    {
      name: 'two authorities',
      request: [':method', 'CONNECT', ':authority', at(80), ':authority', at(81)],
      answer: 'reset PROTOCOL_ERROR',
      reason: 'malformed-message',
    },
  ];

  for (const { name, request, answer, reason } of shapes)
    it(`${name}: ${answer}`, async () => {
      const peer = await rig().attack();
      peer.send(
        typeof request === 'string' ? connectFrame(1, request) : headersFrame(1, request),
        connectFrame(3, at(ECHO_PORT)),
      );
      expect(await peer.answer(1)).to.equal(answer);
      expect(await peer.answer(3), 'the next tunnel of the same connection').to.equal('200');
      await rig().verdict(peer, { reason, direction: 'inbound', message: /^connection (failed|complete)$/ });
    });
});
