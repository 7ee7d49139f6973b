import { expect } from 'chai';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpCall, HttpTimeoutError } from './http-call.ts';

describe('HTTP call', () => {
  let server: Server;
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    server = createServer((_request, response) => answer(response));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function call(timeoutMs: number): Promise<unknown> {
    const { port } = server.address() as AddressInfo;
    return httpCall(
      { protocol: 'http:', hostname: '127.0.0.1', port, path: '/' },
      undefined,
      timeoutMs,
    ).catch((error: unknown) => error);
  }

  it('brings the whole answer', async () => {
    answer = (response) => {
      response.statusCode = 201;
      response.write('ä');
      response.end('ö');
    };
    expect(await call(5000)).to.deep.equal({ status: 201, body: 'äö' });
  });

  it('ends in time when there is no answer', async () => {
    answer = () => undefined;
    expect(await call(20)).to.be.instanceOf(HttpTimeoutError);
  });

  for (const [what, atWork, told] of [
    ['tells that the server says nothing', false, true],
    ['does not call a server silent that says that it is at work', true, false],
  ] as const)
    it(what, async () => {
      answer = (response) => {
        if (atWork) response.writeProcessing();
      };
      let silent = false;
      const { port } = server.address() as AddressInfo;
      const watch = { silence: { afterMs: 300, onSilent: () => (silent = true) } };
      const options = { protocol: 'http:', hostname: '127.0.0.1', port, path: '/' };
      const outcome = httpCall(options, undefined, 600, undefined, watch);
      expect(await outcome.catch((error: unknown) => error)).to.be.instanceOf(HttpTimeoutError);
      expect(silent).to.equal(told);
    });

  it('ends in time when an answer has no end', async () => {
    answer = (response) => response.write('begun');
    expect(await call(50)).to.be.instanceOf(HttpTimeoutError);
  });

  it('ends when an answer is larger than anything that is asked for', async () => {
    answer = (response) => response.end(Buffer.alloc(5 << 20));
    expect(await call(5000))
      .to.have.property('message')
      .that.contains('longer than');
  });

  it('ends when an answer is cut', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('begun', () => response.destroy());
    };
    expect(await call(5000)).to.have.property('code', 'ECONNRESET');
  });
});
