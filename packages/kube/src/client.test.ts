import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { ManualClock } from '@ambient/runtime';

import { KubeClient } from './client.ts';
import { KubeConnection } from './connection.ts';
import type { KubeConnectionError } from './errors.ts';
import { KubeConfigError, KubeStatusError } from './errors.ts';
import { FakeApi, json, refuse } from './testing/fake-api.ts';
import { LineSplitter, LineTooLongError } from './line-splitter.ts';

async function caught(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** A configuration as in a pod: the token is a file that a kubelet renews. */
function inPod(server: string, tokenFile: string): KubeConfig {
  const config = new KubeConfig();
  const authProvider = { name: 'tokenFile', config: { tokenFile } };
  config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: true }, { name: 'u', authProvider });
  return config;
}

/** To a server of ours, which from now on listens. */
async function connectionTo(server: Server): Promise<KubeConnection> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  config.loadFromClusterAndUser({ name: 'c', server: url, skipTLSVerify: true }, { name: 'u' });
  return new KubeConnection(config);
}

/** Answers those who have the token of now, and nobody else. */
class ShortTokens implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'ambient-token-'));
  readonly file = join(this.folder, 'token');
  valid = '';
  asked = 0;

  constructor(api: FakeApi) {
    api.routes.set('/x', (request, response) => {
      this.asked++;
      if (request.headers.authorization === `Bearer ${this.valid}`)
        json(response, 200, { asked: this.asked });
      else refuse(401, 'Unauthorized')(request, response);
    });
    this.issue('one');
  }

  issue(token: string): void {
    this.valid = token;
    writeFileSync(this.file, `${token}\n`);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('a token in a file', () => {
  let api: FakeApi;
  let tokens: ShortTokens;
  beforeEach(async () => {
    api = await FakeApi.start();
    tokens = new ShortTokens(api);
  });
  afterEach(() => {
    tokens[Symbol.dispose]();
    return api[Symbol.asyncDispose]();
  });

  it('that has ended is read again, and the request made again, whatever the method', async () => {
    using connection = new KubeConnection(inPod(api.url, tokens.file));
    const client = new KubeClient(connection);
    for (const [token, method] of [
      ['one', 'GET'],
      ['two', 'GET'],
      ['three', 'POST'],
    ] as const) {
      tokens.issue(token);
      expect(await client.request({ path: '/x', method })).to.be.an('object');
    }
    expect(tokens.asked).equal(5);
  });

  it('is read again for a watch', async () => {
    using connection = new KubeConnection(inPod(api.url, tokens.file));
    const client = new KubeClient(connection);
    await client.request({ path: '/x' });
    tokens.issue('two');
    await client.stream(
      { path: '/x' },
      () => {},
      () => {},
    );
    expect(tokens.asked).equal(3);
  });

  it('that is refused and not renewed is not tried twice, and is used as soon as it is renewed', async () => {
    using connection = new KubeConnection(inPod(api.url, tokens.file));
    const client = new KubeClient(connection);
    tokens.valid = 'later';
    expect(String(await caught(client.request({ path: '/x' })))).contain('401');
    expect(tokens.asked).equal(1);
    tokens.issue('later');
    expect(await client.request({ path: '/x' })).to.be.an('object');
  });

  it('that is missing or empty is told with its path', async () => {
    using connection = new KubeConnection(inPod(api.url, tokens.file));
    const client = new KubeClient(connection);
    writeFileSync(tokens.file, '');
    expect(await caught(client.request({ path: '/x' }))).instanceOf(KubeConfigError);
    rmSync(tokens.file);
    const error = await caught(client.request({ path: '/x' }));
    expect(error).instanceOf(KubeConfigError);
    expect(error.message).contain(tokens.file).and.contain('automountServiceAccountToken');
    expect(tokens.asked).equal(0);
  });

  it('whose file is gone is used until it is refused; then the error names the file, and the next token is taken', async () => {
    using connection = new KubeConnection(inPod(api.url, tokens.file));
    const client = new KubeClient(connection);
    tokens.issue('one');
    expect(await client.request({ path: '/x' })).to.be.an('object');
    rmSync(tokens.file);
    expect(await client.request({ path: '/x' })).to.be.an('object');
    tokens.valid = 'two';
    const error = await caught(client.request({ path: '/x' }));
    expect(error).instanceOf(KubeConfigError);
    expect(error.message).contain(tokens.file).and.contain('401');
    writeFileSync(tokens.file, 'gar\u0000bage');
    expect((await caught(client.request({ path: '/x' }))).message).contain(tokens.file);
    tokens.issue('two');
    expect(await client.request({ path: '/x' })).to.be.an('object');
  });

  it('of a kubeconfig counts by its place, and before a token beside it', async () => {
    const kubeconfig = join(tokens.folder, 'kubeconfig');
    const document = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: api.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 'of old', tokenFile: 'token' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(kubeconfig, JSON.stringify(document));
    using connection = KubeConnection.fromFile(kubeconfig);
    const client = new KubeClient(connection);
    expect(await client.request({ path: '/x' })).deep.equal({ asked: 1 });
    tokens.issue('two');
    expect(await client.request({ path: '/x' })).deep.equal({ asked: 3 });
  });
});

describe('KubeClient', () => {
  let api: FakeApi;
  beforeEach(async () => (api = await FakeApi.start()));
  afterEach(() => api[Symbol.asyncDispose]());

  it('sends method, query, body and token, and returns plain JSON', async () => {
    using connection = api.connection({ token: 't0ken' });
    const seen: unknown[] = [];
    api.routes.set('/x', (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push(request.method, request.headers.authorization, request.headers['content-type'], body);
        json(response, 201, { a: { b: [1] } });
      });
    });
    const client = new KubeClient(connection);
    const answer = await client.request({
      method: 'PATCH',
      path: '/x',
      query: { force: true, fieldManager: 'm', absent: undefined },
      contentType: 'application/merge-patch+json',
      body: { spec: 'ü' },
    });
    expect(answer).deep.equal({ a: { b: [1] } });
    expect(seen).deep.equal(['PATCH', 'Bearer t0ken', 'application/merge-patch+json', '{"spec":"ü"}']);
    expect(api.log).deep.equal(['PATCH /x?force=true&fieldManager=m']);
  });

  it('uses one connection for requests that follow each other', async () => {
    using connection = api.connection();
    const ports = new Set<number | undefined>();
    api.routes.set('/x', (request, response) => {
      ports.add(request.socket.remotePort);
      json(response, 200, {});
    });
    const client = new KubeClient(connection);
    for (let i = 0; i < 5; i++) await client.request({ path: '/x' });
    expect(ports.size).equal(1);
  });

  it('tells a refusal with status, reason and remedy', async () => {
    using connection = api.connection();
    api.script.push(refuse(403, 'Forbidden'));
    const error = (await caught(new KubeClient(connection).request({ path: '/x' }))) as KubeStatusError;
    expect(error).instanceOf(KubeStatusError);
    expect([error.status, error.reason]).deep.equal([403, 'Forbidden']);
    expect(error.message).contain('GET /x: 403 Forbidden: Forbidden here').and.contain('RBAC');
  });

  it('asks in the name of its caller, and tells the remedy that the caller knows', async () => {
    using connection = api.connection();
    const agents: (string | undefined)[] = [];
    api.routes.set('/x', (request, response) => {
      agents.push(request.headers['user-agent']);
      refuse(agents.length === 1 ? 403 : 401, 'No')(request, response);
    });
    const caller = { name: 'ambient-test', remedies: { 403: 'ask the keeper of the test' } };
    const client = new KubeClient(connection, undefined, { caller });
    expect(String(await caught(client.request({ path: '/x' })))).match(/; ask the keeper of the test$/);
    const unknown = String(await caught(client.request({ path: '/x' })));
    expect(unknown).contain('token or client certificate').and.not.contain('keeper');
    expect(agents).deep.equal(['ambient-test', 'ambient-test']);
  });

  it('follows a 429 by its Retry-After, and gives up after so many', async () => {
    using connection = api.connection();
    const clock = new ManualClock();
    const client = new KubeClient(connection, clock);
    for (let i = 0; i < 2; i++) api.script.push(refuse(429, 'TooManyRequests', { 'retry-after': '3' }));
    api.routes.set('/x', (_, response) => json(response, 200, { ok: true }));
    const answer = client.request({ path: '/x', timeoutMs: 1e9 });
    for (const requests of [1, 2]) {
      await api.requests('/x', requests);
      while (clock.nextTimerInMs !== 3000) await new Promise<void>((resolve) => setImmediate(resolve));
      clock.advance(3000);
    }
    expect(await answer).deep.equal({ ok: true });

    api.script.push(refuse(429, 'TooManyRequests', { 'retry-after': '3' }));
    const error = await caught(client.request({ path: '/x', retries: 0 }));
    expect((error as KubeStatusError).retryAfterMs).equal(3000);
  });

  it('a body that trickles is cut by the timeout', async () => {
    using connection = api.connection();
    const clock = new ManualClock();
    api.script.push((_, response) => void response.writeHead(200).write('{"items":['));
    const answer = caught(new KubeClient(connection, clock).request({ path: '/slow', timeoutMs: 5000 }));
    await api.requests('/slow', 1);
    clock.advance(5000);
    expect(((await answer) as KubeConnectionError).code).equal('KUBE_TIMEOUT');
    expect(clock.pendingTimers).equal(0);
  });

  it('an answer that breaks off, and one that is no JSON, are told by name', async () => {
    using connection = api.connection();
    const client = new KubeClient(connection);
    api.script.push((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"items":');
      setImmediate(() => response.destroy());
    });
    expect(((await caught(client.request({ path: '/x' }))) as KubeConnectionError).code).equal(
      'KUBE_CONNECT',
    );
    api.script.push((_, response) => void response.end('<html>'));
    const error = (await caught(client.request({ path: '/x' }))) as KubeConnectionError;
    expect([error.code, error.cause instanceof SyntaxError]).deep.equal(['KUBE_BODY', true]);
  });

  it('a refused connection names what to check', async () => {
    const other = await FakeApi.start();
    const connection = other.connection();
    await other[Symbol.asyncDispose]();
    const error = (await caught(new KubeClient(connection).request({ path: '/x' }))) as KubeConnectionError;
    expect(error.code).equal('KUBE_CONNECT');
    expect(error.message).contain('ECONNREFUSED').and.contain('check that the API server runs');
  });

  it('repeats a request on a kept connection that the server had closed, but never a creation', async () => {
    // A server that closes after one answer without having said so.
    let answers = 0;
    const server = createServer((request, response) => {
      answers++;
      if (answers % 2 === 0) request.socket.destroy();
      else json(response, 200, { answers });
    });
    using connection = await connectionTo(server);
    const client = new KubeClient(connection);
    await client.request({ path: '/1' });
    expect(await client.request({ path: '/2' })).deep.equal({ answers: 3 });
    const error = await caught(client.request({ method: 'POST', path: '/3', body: {} }));
    expect((error as KubeConnectionError).code).equal('KUBE_CONNECT');
    expect(answers).equal(4);
    await new Promise((resolve) => server.close(resolve));
  });

  it('comes through though the server had closed every kept connection', async () => {
    const first = new WeakSet<object>();
    const waiting: (() => void)[] = [];
    const server = createServer((request, response) => {
      if (first.has(request.socket)) return void request.socket.destroy();
      first.add(request.socket);
      if (request.url === '/again') return json(response, 200, { done: true });
      // All at once, so that each has a connection of its own.
      waiting.push(() => json(response, 200, {}));
      if (waiting.length === 3) for (const answer of waiting) answer();
    });
    using connection = await connectionTo(server);
    const client = new KubeClient(connection);
    await Promise.all(['/1', '/2', '/3'].map((path) => client.request({ path })));
    expect(await client.request({ path: '/again' })).deep.equal({ done: true });
    await new Promise((resolve) => server.close(resolve));
  });

  it('streams lines as they come, whole however they are cut, and drops an unfinished one', async () => {
    using connection = api.connection();
    api.script.push((_, response) => {
      response.writeHead(200);
      const bytes = Buffer.from('{"n":"é"}\n{"n":2}\n\n{"n":');
      for (const byte of bytes) response.write(Buffer.of(byte));
      response.end();
    });
    const lines: string[] = [];
    await new KubeClient(connection).stream(
      { path: '/w' },
      (line) => lines.push(line),
      () => {},
    );
    expect(lines).deep.equal(['{"n":"é"}', '{"n":2}']);
  });

  it('a stream that is reset, cancelled, or whose reader throws ends with that error', async () => {
    using connection = api.connection();
    const client = new KubeClient(connection);
    const stream = (onLine: () => void, signal?: AbortSignal): Promise<Error> =>
      caught(client.stream({ path: '/w', ...(signal === undefined ? {} : { signal }) }, onLine, () => {}));
    api.script.push((_, response) => {
      response.writeHead(200).write('1\n');
      setImmediate(() => response.destroy());
    });
    expect(((await stream(() => {})) as KubeConnectionError).code).equal('KUBE_CONNECT');
    const abort = new AbortController();
    api.script.push((_, response) => void response.writeHead(200).write('1\n'));
    expect(((await stream(() => abort.abort(), abort.signal)) as KubeConnectionError).code).equal(
      'KUBE_CANCELLED',
    );
    const mine = new RangeError('mine');
    api.script.push((_, response) => void response.writeHead(200).write('1\n'));
    expect(
      await stream(() => {
        throw mine;
      }),
    ).equal(mine);
  });

  it('a kubeconfig that is missing, malformed or names no server is refused by name', () => {
    expect(() => KubeConnection.fromFile('/nonexistent/config')).throws(
      KubeConfigError,
      '/nonexistent/config',
    );
    expect(() => new KubeConnection(new KubeConfig())).throws(KubeConfigError, 'current-context');
  });
});

describe('LineSplitter', () => {
  it('refuses a line longer than any object, whatever it is cut into', () => {
    const lines = new LineSplitter(() => {}, 10);
    lines.push(Buffer.from('12345'));
    lines.push(Buffer.from('67890'));
    expect(lines.pendingBytes).equal(10);
    expect(() => lines.push(Buffer.from('1'))).throws(LineTooLongError);
  });
});
