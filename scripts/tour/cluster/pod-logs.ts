import { text } from 'node:stream/consumers';
import type { KubeConnection } from '@ambient/kube';

/** The API did not hand out a log. */
export class PodLogError extends Error {
  override readonly name = 'PodLogError';
  readonly code = 'ERR_POD_LOG';
}

/** Logs of pods, from the Kubernetes API: what `kubectl logs` asks for. */
export class PodLogs {
  readonly #connection: KubeConnection;

  constructor(connection: KubeConnection) {
    this.#connection = connection;
  }

  static path(namespace: string, pod: string): string {
    return `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
  }

  /** @param tail lines at most, the latest @throws PodLogError */
  async lines(namespace: string, pod: string, tail?: number): Promise<string[]> {
    const path = PodLogs.path(namespace, pod);
    const { module, options } = await this.#connection.prepare(
      'GET',
      tail === undefined ? path : `${path}?tailLines=${tail}`,
      {},
    );
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (cause: Error): void =>
      reject(
        new PodLogError(`the log of pod ${namespace}/${pod} cannot be read: ${cause.message}`, { cause }),
      );
    module
      .request(options, (response) => {
        text(response).then((body) => {
          if (response.statusCode === 200) resolve(body);
          else fail(new Error(`status ${response.statusCode}: ${body.slice(0, 200)}`));
        }, fail);
      })
      .on('error', fail)
      .end();
    return (await promise).trimEnd().split('\n');
  }
}
