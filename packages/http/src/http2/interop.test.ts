import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { expect } from 'chai';
import { SocketEndpoint } from '../testing/socket-endpoint.ts';
import { headerValue } from './header-block.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Http2Stream } from './stream.ts';

// Node's own implementation (nghttp2) shares nothing with this one, so what both understand is HTTP/2.

interface Answer {
  status: number | undefined;
  headers: http2.IncomingHttpHeaders;
  body: string;
  trailers: http2.IncomingHttpHeaders | undefined;
}

/** Sends a request by Node's client and waits for all of its answer. */
async function ask(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
  trailers?: http2.OutgoingHttpHeaders,
): Promise<Answer> {
  const stream = session.request(headers, {
    endStream: body === undefined,
    waitForTrailers: trailers !== undefined,
  });
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (body !== undefined) stream.end(body, 'latin1');
  const answer: Answer = { status: undefined, headers: {}, body: '', trailers: undefined };
  stream.on('response', (received) => {
    answer.status = received[':status'];
    answer.headers = received;
  });
  stream.on('trailers', (received) => (answer.trailers = received));
  stream.setEncoding('latin1');
  stream.on('data', (text: string) => (answer.body += text));
  await once(stream, 'close');
  return answer;
}

describe("our server before Node's client", () => {
  let listener: net.Server;
  let session: http2.ClientHttp2Session;
  let endpoint: SocketEndpoint;

  beforeEach(async () => {
    listener = net.createServer((socket) => {
      endpoint = new SocketEndpoint('server', socket, { maxHeaderListSize: 16_384 });
      const bodies = endpoint.log.bodies;
      const answer = (stream: Http2Stream<string>): void => {
        const body = bodies.get(stream.id) ?? '';
        stream.sendHeaders(
          [':status', '200', 'x-path', stream.context, 'x-length', String(body.length)],
          false,
        );
        endpoint.sendBody(stream, body, stream.context === '/trailers' ? ['x-checksum', 'abc'] : undefined);
      };
      endpoint.log.headers = (stream, headers, end) => {
        stream.context = headerValue(headers, ':path') ?? headerValue(headers, ':authority')!;
        if (headerValue(headers, ':method') === 'CONNECT') {
          stream.sendHeaders([':status', '200'], false);
          endpoint.sendBody(stream, 'greetings');
        } else if (end) answer(stream);
      };
      endpoint.log.body = (stream, end) => {
        if (end && !stream.headersSent) answer(stream);
      };
      endpoint.log.onTrailers = (stream, headers) => {
        stream.context = `trailers:${headers.join('=')}`;
        answer(stream);
      };
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    session = http2.connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  });

  afterEach(async () => {
    session.destroy();
    listener.close();
    await once(listener, 'close');
  });

  it('GET', async () => {
    const answer = await ask(session, { ':path': '/hello' });
    expect(answer).to.include({ status: 200, body: '' });
    expect(answer.headers['x-path']).to.equal('/hello');
  });

  it('POST with 3 MiB, back and forth', async () => {
    const body = 'abcdefgh'.repeat(3 << 17);
    const answer = await ask(session, { ':method': 'POST', ':path': '/' }, body);
    expect(answer.headers['x-length']).to.equal(String(body.length));
    expect(answer.body === body).to.equal(true);
  });

  it('trailers in the answer, and in the request', async () => {
    expect((await ask(session, { ':method': 'POST', ':path': '/trailers' }, 'x')).trailers).to.include({
      'x-checksum': 'abc',
    });
    const answer = await ask(session, { ':method': 'POST', ':path': '/' }, 'x', { 'grpc-status': '0' });
    expect(answer.headers['x-path']).to.equal('trailers:grpc-status=0');
  });

  it('CONNECT', async () => {
    const answer = await ask(session, { ':method': 'CONNECT', ':authority': '10.0.0.1:80' }, 'hi');
    expect(answer).to.include({ status: 200, body: 'greetings' });
  });

  it('headers of any size and content that the limit allows', async () => {
    const headers = {
      ':path': '/',
      authorization: 'secret',
      'x-long': '\u00e9'.repeat(10_000),
      'x-empty': '',
    };
    for (let i = 0; i < 3; i++) expect((await ask(session, headers)).status).to.equal(200);
    expect(endpoint.log.lines.find((line) => line.includes('x-empty='))).to.include('\u00e9'.repeat(10_000));
  });

  it('a header list over the limit is answered 431', async () => {
    const stream = session.request({ ':path': '/', 'x-a': 'x'.repeat(20_000) });
    const [headers] = (await once(stream, 'response')) as [
      http2.IncomingHttpHeaders & { ':status'?: number },
    ];
    expect(headers[':status']).to.equal(431);
    expect((await ask(session, { ':path': '/after' })).status).to.equal(200);
  });

  it('100 streams at once, each with its own body', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        ask(session, { ':method': 'POST', ':path': `/${i}` }, `${i},`.repeat(i * 100)),
      ),
    );
    for (const [i, answer] of answers.entries()) {
      expect(answer.headers['x-path']).to.equal(`/${i}`);
      expect(answer.body).to.equal(`${i},`.repeat(i * 100));
    }
    expect(endpoint.connection.activeStreams).to.equal(0);
  });

  it('a cancelled request, a PING, and a graceful end', async () => {
    await ask(session, { ':path': '/' });
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      endpoint.log.headers = () => resolve();
      endpoint.log.body = undefined;
      stream.write('x');
    });
    const reset = new Promise<string>((resolve) => {
      endpoint.log.onReset = (dead, code, remote) => resolve(`${dead.id} ${code} ${remote}`);
    });
    stream.close(http2.constants.NGHTTP2_CANCEL);
    expect(await reset).to.equal('3 8 true');
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    const goaway = once(session, 'goaway');
    endpoint.connection.startShutdown();
    endpoint.flush();
    await goaway;
    await once(session, 'close');
    expect(endpoint.connection.drained).to.equal(true);
  });
});

describe("our client before Node's server", () => {
  let server: http2.Http2Server;
  let endpoint: SocketEndpoint;
  let socket: net.Socket;

  beforeEach(async () => {
    server = http2.createServer({
      settings: { initialWindowSize: 100_000, maxConcurrentStreams: 1000, headerTableSize: 512 },
    });
    server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
      let body = '';
      stream.setEncoding('latin1');
      stream.on('error', () => undefined);
      stream.on('data', (text: string) => (body += text));
      stream.on('end', () => {
        const waitForTrailers = headers[':path'] === '/trailers';
        if (headers[':path'] === '/early') stream.additionalHeaders({ ':status': 103, link: 'x' });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.respond({ ':status': 200, 'x-path': headers[':path'] ?? 'none' }, { waitForTrailers });
        stream.end(body, 'latin1');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    endpoint = new SocketEndpoint('client', socket);
    await happens((done) => {
      endpoint.log.onRemoteSettings = done;
    });
  });

  afterEach(async () => {
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const happens = (arm: (done: () => void) => void): Promise<void> => new Promise((resolve) => arm(resolve));

  /** Sends requests all at once and waits until the streams of all are closed. */
  async function askAll(
    requests: [headers: string[], body: string | undefined, trailers?: string[]][],
  ): Promise<HeaderBlock[]> {
    const answers: HeaderBlock[] = [];
    endpoint.log.headers = (stream, headers) => {
      if (stream.headersReceived) answers[Number(stream.context)] = headers;
    };
    let left = requests.length;
    await happens((done) => {
      endpoint.log.onStreamClosed = () => {
        if (--left === 0) done();
      };
      for (const [i, [headers, body, trailers]] of requests.entries()) {
        const stream = endpoint.connection.request(headers, body === undefined, String(i))!;
        if (body !== undefined) endpoint.sendBody(stream, body, trailers);
      }
      endpoint.flush();
    });
    return answers;
  }

  const to = (method: string, path: string): string[] => [
    ':method',
    method,
    ':scheme',
    'http',
    ':path',
    path,
    ':authority',
    'localhost',
  ];

  it('GET', async () => {
    const [answer] = await askAll([[to('GET', '/hello'), undefined]]);
    expect(headerValue(answer!, ':status')).to.equal('200');
    expect(headerValue(answer!, 'x-path')).to.equal('/hello');
  });

  it('POST with 3 MiB, back and forth', async () => {
    const body = 'abcdefgh'.repeat(3 << 17);
    await askAll([[to('POST', '/'), body]]);
    expect(endpoint.log.bodies.get(1) === body).to.equal(true);
  });

  it('interim response, trailers both ways', async () => {
    const trailers: string[] = [];
    endpoint.log.onTrailers = (_stream, headers) => trailers.push(...headers);
    await askAll([
      [to('POST', '/trailers'), 'x', ['a', 'b']],
      [to('GET', '/early'), undefined],
    ]);
    expect(trailers).to.deep.equal(['grpc-status', '0']);
    expect(endpoint.log.lines).to.include('headers 3 :status=103,link=x');
  });

  it('100 streams at once, again and again, so that the tables turn over', async () => {
    for (let round = 0; round < 5; round++) {
      endpoint.log.bodies.clear();
      const answers = await askAll(
        Array.from({ length: 100 }, (_, i) => [
          [...to('POST', `/${i}`), `x-${i}`, `${round}`, 'x-same', 'value'],
          `${i}.`.repeat(200),
        ]),
      );
      for (const [i, answer] of answers.entries()) expect(headerValue(answer, 'x-path')).to.equal(`/${i}`);
      expect(endpoint.log.bodies.size).to.equal(100);
    }
    expect(endpoint.log.error).to.equal(undefined);
  });

  it('a malformed request is refused by the other side, and only it', async () => {
    const resets: string[] = [];
    endpoint.log.onReset = (stream, code) => resets.push(`${stream.id} ${code}`);
    await askAll([
      [[...to('GET', '/'), 'connection', 'close'], undefined],
      [to('GET', '/'), undefined],
    ]);
    expect(resets).to.deep.equal(['1 1']);
  });
});
