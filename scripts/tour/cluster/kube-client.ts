import { Agent, request } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

/** What the tour reads of any object. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly creationTimestamp?: string;
  };
  readonly [field: string]: unknown;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

export interface KubeCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Of the body; default `application/json`. */
  readonly contentType?: string;
}

/** The API refused a call, or did not answer. */
export class KubeCallError extends Error {
  override readonly name = 'KubeCallError';
  readonly code = 'ERR_KUBE_CALL';
}

const DEADLINE_MS = 10_000;

/** Kubeconfigs of the lab's API are JSON with everything inside. */
interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string } },
  ];
  readonly users: readonly [
    {
      readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string };
    },
  ];
}

/** The few calls that the tour makes to the Kubernetes API by itself: those of a kubelet, and of a user without kubectl. */
export class KubeClient implements Disposable {
  readonly #server: URL;
  readonly #agent: Agent;
  readonly #watches = new Set<Disposable>();

  /** @param kubeconfig text of the lab API's kubeconfig, with a client certificate */
  constructor(kubeconfig: string) {
    const config = JSON.parse(kubeconfig) as Kubeconfig;
    const [{ cluster }] = config.clusters;
    const [{ user }] = config.users;
    const decode = (base64: string): Buffer => Buffer.from(base64, 'base64');
    this.#server = new URL(cluster.server);
    this.#agent = new Agent({
      keepAlive: true,
      ca: decode(cluster['certificate-authority-data']),
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    });
  }

  /** @throws KubeCallError with the API's own words */
  async call<T>(call: KubeCall): Promise<T> {
    const failed = (problem: string, cause?: unknown): KubeCallError =>
      new KubeCallError(`the Kubernetes API: ${call.method} ${call.path}: ${problem}`, { cause });
    try {
      const response = await this.#send(call, DEADLINE_MS);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as T & { readonly message?: string };
      if ((response.statusCode ?? 500) < 300) return answer;
      throw failed(answer.message ?? `status ${response.statusCode}`);
    } catch (error) {
      if (error instanceof KubeCallError) throw error;
      throw failed('no answer', error);
    }
  }

  /**
   * Tells of every object below a collection's path, those that are there first, until it is disposed. A watch that the
   * server ends is begun anew, `onStart` called again.
   */
  watch(
    path: string,
    onEvent: (event: WatchEvent) => void,
    onStart: () => void = () => undefined,
  ): Disposable {
    const target: KubeCall = { method: 'GET', path: `${path}${path.includes('?') ? '&' : '?'}watch=1` };
    let ended = false;
    let response: IncomingMessage | undefined;
    const follow = async (): Promise<void> => {
      while (!ended) {
        response = await this.#send(target);
        onStart();
        for await (const line of createInterface({ input: response }))
          onEvent(JSON.parse(line) as WatchEvent);
      }
    };
    // Whoever waits for an event has a deadline; a server that has gone for good ends the tour by that.
    follow().catch(() => undefined);
    const watch = {
      [Symbol.dispose]: () => {
        ended = true;
        response?.destroy();
        this.#watches.delete(watch);
      },
    };
    this.#watches.add(watch);
    return watch;
  }

  /** Resolves with the first object of a collection, there or to come, that `accept` takes. @throws KubeCallError */
  until(path: string, what: string, accept: (object: KubeObject) => boolean): Promise<KubeObject> {
    const { promise, resolve, reject } = Promise.withResolvers<KubeObject>();
    const watch = this.watch(path, ({ type, object }) => {
      if ((type === 'ADDED' || type === 'MODIFIED') && accept(object)) resolve(object);
    });
    const deadline = setTimeout(
      () => reject(new KubeCallError(`the Kubernetes API: no ${what} within ${DEADLINE_MS / 1000} s`)),
      DEADLINE_MS,
    );
    return promise.finally(() => {
      clearTimeout(deadline);
      watch[Symbol.dispose]();
    });
  }

  [Symbol.dispose](): void {
    for (const watch of [...this.#watches]) watch[Symbol.dispose]();
    this.#agent.destroy();
  }

  #send({ method, path, body, contentType }: KubeCall, timeout?: number): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const call: ClientRequest = request(
        new URL(path, this.#server),
        {
          method,
          agent: this.#agent,
          ...(timeout === undefined ? {} : { timeout }),
          headers: {
            accept: 'application/json',
            ...(text === undefined
              ? {}
              : {
                  'content-type': contentType ?? 'application/json',
                  'content-length': Buffer.byteLength(text),
                }),
          },
        },
        resolve,
      );
      call.on('timeout', () => call.destroy(new Error(`no answer within ${timeout} ms`)));
      call.on('error', reject);
      call.end(text);
    });
  }
}
