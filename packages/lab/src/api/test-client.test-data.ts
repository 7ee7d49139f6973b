/** A plain HTTPS client for tests of the API as its clients meet it. */
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';

import type { LabApi } from './lab-api.ts';
import type { JsonObject } from './object.ts';

interface Credentials {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

/** What a kubeconfig of the lab holds. */
function credentialsOf(kubeconfig: string): Credentials {
  const config = JSON.parse(kubeconfig) as {
    clusters: [{ cluster: { 'certificate-authority-data': string } }];
    users: [{ user: { 'client-certificate-data'?: string; 'client-key-data'?: string; token?: string } }];
  };
  const decode = (text: string): string => Buffer.from(text, 'base64').toString();
  const { user } = config.users[0];
  return {
    ca: decode(config.clusters[0].cluster['certificate-authority-data']),
    ...(user['client-certificate-data'] === undefined
      ? {}
      : { cert: decode(user['client-certificate-data']) }),
    ...(user['client-key-data'] === undefined ? {} : { key: decode(user['client-key-data']) }),
    ...(user.token === undefined ? {} : { token: user.token }),
  };
}

export interface Answer {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonObject;
}

/** The events of one watch, one after the other. */
export interface WatchEvents extends AsyncDisposable {
  next(): Promise<{ type: string; object: JsonObject } | undefined>;
}

export class TestClient implements Disposable {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #token: string | undefined;

  constructor(api: Pick<LabApi, 'url'>, kubeconfig: string) {
    const { token, ...tls } = credentialsOf(kubeconfig);
    this.#url = api.url;
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, ...tls });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await this.#open(method, path, body, headers);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    return {
      code: response.statusCode ?? 0,
      headers: response.headers,
      body: text.startsWith('{') ? (JSON.parse(text) as JsonObject) : { text },
    };
  }

  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  async watch(path: string): Promise<WatchEvents> {
    const response = await this.#open('GET', path, undefined, {});
    const lines = linesOf(response);
    return {
      next: async () => {
        const { value, done } = await lines.next();
        return done === true ? undefined : (JSON.parse(value) as { type: string; object: JsonObject });
      },
      [Symbol.asyncDispose]: () => {
        response.destroy();
        return Promise.resolve();
      },
    };
  }

  #open(
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request(
      `${this.#url}${path}`,
      {
        method,
        agent: this.#agent,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          ...headers,
        },
      },
      resolve,
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
    return promise;
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
