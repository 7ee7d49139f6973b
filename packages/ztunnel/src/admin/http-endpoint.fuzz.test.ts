import { connect } from 'node:net';
import { formatLine, Logger, LogLevels } from '@ambient/runtime';
import { damagedText, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { HttpEndpoint, textReply } from './http-endpoint.ts';
import { loggingEndpoint } from './logging-endpoint.ts';

const dictionary = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  ' ',
  '\t',
  '\0',
  'é',
  '/',
  '//',
  '..',
  '%',
  '%2',
  '%ff',
  '%0d%0a',
  '?',
  '&',
  '=',
  '+',
  '#',
  ':',
  'http://[',
  'http://x:99999/',
  '*',
  'GET ',
  'HEAD ',
  'CONNECT ',
  'HTTP/1.0',
  'HTTP/9.9',
  'transfer-encoding: chunked\r\n',
  'content-length: -1\r\n',
  'content-length: 5\r\n',
  'expect: 100-continue\r\n',
  'upgrade: h2c\r\nconnection: upgrade\r\n',
  'x: '.repeat(500),
  'y'.repeat(20_000),
  'level=',
  'reset',
  'debug',
];
const request = damagedText(
  fc.constantFrom(
    'POST /logging?level=debug HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    'POST /logging?reset&level=access=debug,ztunnel::x=off HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    'GET /fine HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    'HEAD /fine HTTP/1.0\r\n\r\n',
    'GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
  ),
  dictionary,
);

describe('HttpEndpoint under fuzz', () => {
  it('answers whatever comes, blames itself for none of it, and goes on [fuzz]', async () => {
    const lines: string[] = [];
    const logger = new Logger(
      new LogLevels('debug'),
      { write: (...line) => lines.push(formatLine('plain', ...line)) },
      'admin',
    );
    const levels = new LogLevels('info', 'ztunnel');
    const worker = new LogLevels('info', 'ztunnel');
    await using endpoint = await HttpEndpoint.listen(
      'fuzz',
      { hosts: ['127.0.0.1'], port: 0 },
      [
        loggingEndpoint(levels, (spec) => worker.replace(spec)),
        { method: 'GET', path: '/fine', doc: '', handle: () => textReply(200, 'fine') },
      ],
      logger,
    );
    const { port } = endpoint.addresses[0]!;
    const exchange = (bytes: Buffer): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1');
        let answer = '';
        socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
        socket.on('error', () => {}); // a reset is an answer too
        socket.on('close', () => resolve(answer));
        socket.end(bytes);
      });
    await fc.assert(
      fc.asyncProperty(request, async (text) => {
        const answer = await exchange(Buffer.from(text, 'latin1'));
        if (answer !== '') expect(answer).to.match(/^HTTP\/1\.1 (?:[1234]\d\d|501|505) /);
        expect(worker.toString()).to.equal(levels.toString());
        expect(lines.splice(0)).to.deep.equal([]);
      }),
      fuzzBudget(),
    );
    expect(await (await fetch(`http://127.0.0.1:${port}/fine`)).text()).to.equal('fine\n');
  });
});
