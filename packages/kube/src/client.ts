import type { ClientRequest, IncomingMessage } from 'node:http';
import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import type { KubeConnection } from './connection.ts';
import { KubeConfigError, KubeConnectionError, KubeStatusError, statusError } from './errors.ts';
import type { RefusalRemedies } from './errors.ts';
import { LineSplitter } from './line-splitter.ts';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Content types of the API's patches; `apply` is server-side apply (JSON is YAML). */
export const patchType = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  strategicMerge: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const;

export interface KubeRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API server: `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; `application/json` if absent. */
  readonly contentType?: string;
  /** For the whole answer; of a stream, for its head. Milliseconds, 30 s if absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** How often a 429 that says when to come again is followed; 4 if absent. */
  readonly retries?: number;
  /** A POST that creates nothing, such as a review: it is made again on another connection if the kept one has just been closed. */
  readonly repeatable?: boolean;
  /** Given the body of a good answer before it is parsed: what its beginning says need not wait for all of it. */
  readonly onText?: (text: string) => void;
}

/** Who asks. */
export interface KubeCaller {
  /** Header User-Agent, by which the API server's audit log names it. */
  readonly name: string;
  /** What errors tell the operator to do when the API server refuses. */
  readonly remedies?: RefusalRemedies;
}

export interface KubeClientOptions {
  readonly caller?: KubeCaller;
  /** Called with header Date of each answer. */
  readonly onDate?: (date: string | undefined) => void;
}

const defaultTimeoutMs = 30_000;
const longestRetryAfterMs = 30_000;
const maxBodyBytes = 400 * 1024 * 1024;

interface Answer {
  readonly response: IncomingMessage;
  /** Ends the timeout of the head; the signal goes on to cut the stream. */
  readonly done: () => void;
  readonly failed: Promise<never>;
}

/** Requests to a Kubernetes API server that return plain parsed JSON. */
export class KubeClient {
  readonly #connection: KubeConnection;
  readonly #clock: Clock;
  readonly #caller: KubeCaller;
  readonly #onDate: KubeClientOptions['onDate'];

  constructor(
    connection: KubeConnection,
    clock: Clock = realClock,
    { caller = { name: 'ambient' }, onDate }: KubeClientOptions = {},
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#caller = caller;
    this.#onDate = onDate;
  }

  /** Base URL, for logs. */
  get server(): string {
    return this.#connection.server;
  }

  /**
   * One request and its whole answer. The type is what the caller expects: nothing is checked but that it is JSON.
   *
   * @throws KubeStatusError, KubeConnectionError, KubeConfigError
   */
  async request<T = unknown>(request: KubeRequest): Promise<T> {
    for (let retries = request.retries ?? 4; ; retries--) {
      const answer = await this.#open(request);
      try {
        const text = await Promise.race([readBody(answer.response), answer.failed]);
        const status = answer.response.statusCode ?? 0;
        if (status >= 200 && status < 300) {
          request.onText?.(text);
          return parse(text, describe(request)) as T;
        }
        const error = this.#refusal(request, text, answer.response);
        if (status !== 429 || error.retryAfterMs === undefined || retries <= 0) throw error;
        await this.#sleep(Math.min(error.retryAfterMs, longestRetryAfterMs), request.signal);
      } catch (error) {
        throw asConnectionError(error, describe(request));
      } finally {
        answer.done();
      }
    }
  }

  /**
   * Hands on the lines of a stream (a watch) as they come, until the server ends it. An unfinished last line is dropped. An
   * error that a callback throws ends the stream and comes out as it is.
   *
   * @param onBytes called for whatever arrives, for a watchdog
   * @throws KubeStatusError, KubeConnectionError, KubeConfigError
   */
  async stream(request: KubeRequest, onLine: (line: string) => void, onBytes: () => void): Promise<void> {
    const answer = await this.#open(request);
    let thrown: Error | undefined;
    try {
      const { response } = answer;
      const status = response.statusCode ?? 0;
      if (status !== 200) {
        const text = await Promise.race([readBody(response), answer.failed]);
        throw this.#refusal(request, text, response);
      }
      const contentType = response.headers['content-type'] ?? 'application/json';
      if (!contentType.startsWith('application/json')) {
        response.destroy();
        throw notAnApiServer(describe(request), `of type ${JSON.stringify(contentType)}`);
      }
      answer.done();
      onBytes();
      const lines = new LineSplitter(onLine);
      const ended = new Promise<void>((resolve, reject) => {
        response.on('data', (chunk: Buffer) => {
          onBytes();
          try {
            lines.push(chunk);
          } catch (error) {
            thrown = error instanceof Error ? error : new Error(String(error));
            reject(thrown);
            response.destroy();
          }
        });
        response.on('end', () => resolve());
        response.on('error', reject);
        response.on('close', () => reject(new Error('the connection broke')));
      });
      await Promise.race([ended, answer.failed]);
    } catch (error) {
      throw error === thrown ? error : asConnectionError(error, describe(request));
    } finally {
      answer.done();
    }
  }

  /** Sends the request; resolves with the head of the answer. */
  async #open(request: KubeRequest): Promise<Answer> {
    const where = describe(request);
    const method = request.method ?? 'GET';
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const headers: Record<string, string> = {
      accept: 'application/json',
      'user-agent': this.#caller.name,
    };
    if (body !== undefined) {
      headers['content-type'] = request.contentType ?? 'application/json';
      headers['content-length'] = String(body.length);
    }
    let renewed = false;
    for (;;) {
      const prepared = await this.#connection.prepare(method, pathOf(request), headers);
      if (request.signal?.aborted) throw cancelled(where);
      const sent = prepared.module.request(prepared.options);
      let answer: Answer;
      try {
        answer = await this.#head(sent, body, request, where);
      } catch (error) {
        // A kept connection that the server closed meanwhile; whoever creates must not do it twice. After a pause of this
        // process all that are kept may be so: each try takes one away, and a new connection is the last.
        const again = sent.reusedSocket && (method !== 'POST' || request.repeatable) && isReset(error);
        if (!again) throw asConnectionError(error, where);
        continue;
      }
      // The token ended between two looks at its file.
      if (renewed || answer.response.statusCode !== 401) return answer;
      let again: boolean;
      try {
        again = this.#connection.hasNewCredentials(prepared);
      } catch (error) {
        discard(answer);
        throw error;
      }
      if (!again) return answer;
      renewed = true;
      discard(answer);
    }
  }

  #head(sent: ClientRequest, body: Buffer | undefined, request: KubeRequest, where: string): Promise<Answer> {
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const failure = Promise.withResolvers<never>();
    // Nobody may be waiting for it any more when a kept connection breaks.
    failure.promise.catch(() => timer[Symbol.dispose]());
    const fail = (error: Error): void => {
      failure.reject(error);
      sent.destroy(error);
    };
    const timer = this.#clock.setTimer(timeoutMs, () =>
      fail(
        new KubeConnectionError(
          'KUBE_TIMEOUT',
          `${where}: no complete answer within ${timeoutMs} ms; the API server is overloaded or out of reach`,
        ),
      ),
    );
    const onAbort = (): void => fail(cancelled(where));
    request.signal?.addEventListener('abort', onAbort, { once: true });
    sent.once('close', () => {
      timer[Symbol.dispose]();
      request.signal?.removeEventListener('abort', onAbort);
    });
    sent.on('error', (error) => failure.reject(error));
    // Finds a peer that vanished without a word, between watchdog and server.
    sent.on('socket', (socket) => socket.setKeepAlive(true, 30_000));
    const answered = new Promise<Answer>((resolve) => {
      sent.once('response', (response) => {
        this.#onDate?.(response.headers.date);
        resolve({ response, done: () => timer[Symbol.dispose](), failed: failure.promise });
      });
    });
    sent.end(body);
    return Promise.race([answered, failure.promise]);
  }

  #refusal(request: KubeRequest, text: string, response: IncomingMessage): KubeStatusError {
    const { statusCode = 0 } = response;
    const { remedies } = this.#caller;
    return statusError(describe(request), tryParse(text), statusCode, retryAfterMs(response), remedies);
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        timer[Symbol.dispose]();
        reject(cancelled('waiting as the server asked'));
      };
      const timer = this.#clock.setTimer(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** Nobody wants the rest of it. */
function discard({ response, done }: Answer): void {
  response.resume();
  done();
}

function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) response.destroy(new Error(`a body of more than ${maxBodyBytes} bytes`));
      else chunks.push(chunk);
    });
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    response.on('error', reject);
    response.on('close', () => reject(new Error('the connection broke within the answer')));
  });
}

function pathOf(request: KubeRequest): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? request.path : `${request.path}?${query.toString()}`;
}

function describe(request: KubeRequest): string {
  return `${request.method ?? 'GET'} ${request.path}`;
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notAnApiServer(where, 'no JSON', error);
  }
}

function notAnApiServer(where: string, what: string, cause?: unknown): KubeConnectionError {
  return new KubeConnectionError(
    'KUBE_BODY',
    `${where}: the answer is ${what}; check that the address is that of a Kubernetes API server`,
    { cause },
  );
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 200) };
  }
}

/** Whole seconds (RFC 9110 section 10.2.3); the API server sends no dates. */
function retryAfterMs(response: IncomingMessage): number | undefined {
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function isReset(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function cancelled(where: string): KubeConnectionError {
  return new KubeConnectionError('KUBE_CANCELLED', `${where}: given up by the caller`);
}

/** Errors of this folder as they are; those of sockets and TLS wrapped. */
function asConnectionError(error: unknown, where: string): Error {
  if (
    error instanceof KubeStatusError ||
    error instanceof KubeConnectionError ||
    error instanceof KubeConfigError
  )
    return error;
  return new KubeConnectionError(
    'KUBE_CONNECT',
    `${where}: ${reasonOf(error)}; check that the API server runs and that its certificate is trusted`,
    { cause: error },
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node's word for an answer whose connection was reset.
  return error.message === 'aborted' ? 'the connection broke within the answer' : error.message || error.name;
}
