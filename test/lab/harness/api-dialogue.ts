/** A dialogue of requests with an API server, and what of the answers can be compared with another server's. */
import { request as httpsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';

import { KubeConfig } from '@kubernetes/client-node';

type Json = Record<string, unknown>;

/** One request. `{uid}` and `{rv}` in path or body stand for those of the last object that was answered. */
export interface Ask {
  readonly method: string;
  readonly path: string;
  /** A text is sent as it is. */
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
}

/** What is compared. */
export interface Answer {
  readonly code: number;
  readonly warnings: readonly unknown[];
  readonly body: unknown;
}

export class ApiDialogue {
  readonly #options: RequestOptions;
  #uid = '';
  #resourceVersion = '';

  private constructor(options: RequestOptions) {
    this.#options = options;
  }

  static async open(kubeconfig: string): Promise<ApiDialogue> {
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    const url = new URL(config.getCurrentCluster()!.server);
    const options: RequestOptions = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port };
    await config.applyToHTTPSOptions(options);
    return new ApiDialogue(options);
  }

  async ask(ask: Ask): Promise<Answer> {
    const fill = (text: string): string =>
      text.replaceAll('{uid}', this.#uid).replaceAll('{rv}', this.#resourceVersion);
    const text = typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body);
    const { code, headers, body } = await this.#send(
      ask,
      fill(ask.path),
      text === undefined ? undefined : fill(text),
    );
    const parsed = parse(body);
    const metadata = member(parsed, 'metadata');
    if (code < 300 && typeof metadata['uid'] === 'string') {
      this.#uid = metadata['uid'];
      this.#resourceVersion = String(metadata['resourceVersion']);
    }
    const warnings = [headers['warning'] ?? []].flat();
    return { code, warnings, body: comparable(parsed) };
  }

  async #send(
    ask: Ask,
    path: string,
    body: string | undefined,
  ): Promise<{ code: number; headers: Record<string, unknown>; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{
      code: number;
      headers: Record<string, unknown>;
      body: string;
    }>();
    const request = httpsRequest(
      {
        ...this.#options,
        method: ask.method,
        path,
        headers: {
          accept: ask.accept ?? 'application/json',
          'user-agent': 'dialogue/1',
          ...(body === undefined
            ? {}
            : { 'content-type': ask.type ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            code: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
    return promise;
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body.slice(0, 200);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function member(value: unknown, name: string): Json {
  const found = isObject(value) ? value[name] : undefined;
  return isObject(found) ? found : {};
}

/** Without what every server makes up for itself: identities, times, versions, addresses; and without wording. */
function comparable(value: unknown): unknown {
  if (isObject(value) && value['kind'] === 'Status') return comparableStatus(value);
  return withoutAccidents(value, '');
}

function comparableStatus(status: Json): unknown {
  const details = member(status, 'details');
  const causes = Array.isArray(details['causes']) ? details['causes'] : [];
  return {
    status: status['status'],
    reason: status['reason'],
    code: status['code'],
    details: { name: details['name'], group: details['group'], kind: details['kind'] },
    fields: causes.map((cause) =>
      isObject(cause) ? `${String(cause['field'])} ${String(cause['reason'])}` : '',
    ),
  };
}

const accidents = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'time',
  'clusterIP',
  'clusterIPs',
  'nodePort',
  'selfLink',
  'lastTransitionTime',
  'continue',
  'token',
  'expirationTimestamp',
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
]);

function withoutAccidents(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutAccidents(each, name));
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .filter(([, each]) => each !== null)
    .map(([key, each]): [string, unknown] => [
      key,
      accidents.has(key) && typeof each !== 'object'
        ? '*'
        : key === 'clusterIPs'
          ? '*'
          : withoutAccidents(each, key),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (typeof value['generateName'] === 'string') entries.find(([key]) => key === 'name')![1] = '*';
  return Object.fromEntries(entries);
}

/** Where two answers differ: paths, and what stands there. */
export function differences(real: unknown, lab: unknown, path = ''): string[] {
  const nested = (value: unknown): value is Json => typeof value === 'object' && value !== null;
  if (!nested(real) || !nested(lab) || Array.isArray(real) !== Array.isArray(lab))
    return Object.is(real, lab)
      ? []
      : [`${path}: real ${JSON.stringify(real) ?? 'nothing'}, lab ${JSON.stringify(lab) ?? 'nothing'}`];
  return [...new Set([...Object.keys(real), ...Object.keys(lab)])].flatMap((key) =>
    differences(real[key], lab[key], `${path}/${key}`),
  );
}
