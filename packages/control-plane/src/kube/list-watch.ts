import type { KubeClient } from './client.ts';
import { isRecord, KubeConnectionError, statusError } from './errors.ts';

export interface ListPage {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  /** Token of the next page, '' on the last one. */
  readonly next: string;
}

export type WatchEvent =
  | { readonly type: 'put' | 'remove'; readonly object: unknown; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/** Lists and watches one collection; a script in tests. */
export interface ListWatch {
  /** For logs and errors: `/api/v1/pods`. */
  readonly path: string;
  /** @param limit objects a page, 0 for all at once @throws KubeStatusError, KubeConnectionError, KubeConfigError */
  list(next: string, limit: number, signal: AbortSignal): Promise<ListPage>;
  /**
   * Events after the version, until the server ends the watch.
   *
   * @param onActivity called for whatever arrives
   * @throws KubeStatusError (also for ERROR events), KubeConnectionError, KubeConfigError
   */
  watch(
    resourceVersion: string,
    onEvent: (event: WatchEvent) => void,
    onActivity: () => void,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface HttpListWatchOptions {
  readonly client: KubeClient;
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** How long the server is asked to keep a watch open, spread by up to as much again; 5 min if absent. Milliseconds. */
  readonly watchMs?: number;
  readonly random?: () => number;
}

const pageTimeoutMs = 60_000;

/** List and watch over HTTP (Kubernetes API concepts, "Efficient detection of changes"). */
export class HttpListWatch implements ListWatch {
  readonly path: string;
  readonly #options: HttpListWatchOptions;

  constructor(options: HttpListWatchOptions) {
    this.#options = options;
    this.path = options.path;
  }

  async list(next: string, limit: number, signal: AbortSignal): Promise<ListPage> {
    const body = await this.#options.client.request({
      path: this.path,
      query: {
        ...this.#selectors(),
        limit: limit === 0 ? undefined : limit,
        continue: next === '' ? undefined : next,
      },
      timeoutMs: pageTimeoutMs,
      signal,
      // The reflector waits as the server asks, and shows that it does.
      retries: 0,
    });
    const metadata = isRecord(body) && isRecord(body['metadata']) ? body['metadata'] : undefined;
    const items = isRecord(body) ? (body['items'] ?? []) : undefined;
    if (metadata === undefined || !Array.isArray(items))
      throw new KubeConnectionError('KUBE_BODY', `GET ${this.path}: the answer is no list`);
    const token = metadata['continue'];
    return {
      items,
      resourceVersion: versionOf(metadata),
      next: typeof token === 'string' ? token : '',
    };
  }

  watch(
    resourceVersion: string,
    onEvent: (event: WatchEvent) => void,
    onActivity: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, watchMs = 300_000, random = Math.random } = this.#options;
    return client.stream(
      {
        path: this.path,
        query: {
          ...this.#selectors(),
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion,
          timeoutSeconds: Math.round((watchMs / 1000) * (1 + random())),
        },
        signal,
      },
      (line) => onEvent(parseWatchLine(this.path, line)),
      onActivity,
    );
  }

  #selectors(): Record<string, string | undefined> {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }
}

/** One line of a watch. @throws KubeConnectionError if it is no event, KubeStatusError if it is an ERROR event */
export function parseWatchLine(path: string, line: string): WatchEvent {
  const where = `watch of ${path}`;
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    throw new KubeConnectionError('KUBE_BODY', `${where}: a line is no JSON`, { cause: error });
  }
  const { type, object } = isRecord(event) ? event : {};
  if (type === 'ERROR') throw statusError(where, object, undefined);
  const resourceVersion =
    isRecord(object) && isRecord(object['metadata']) ? versionOf(object['metadata']) : '';
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { type: 'put', object, resourceVersion };
    case 'DELETED':
      return { type: 'remove', object, resourceVersion };
    case 'BOOKMARK':
      return { type: 'bookmark', resourceVersion };
    default:
      throw new KubeConnectionError(
        'KUBE_BODY',
        `${where}: an event of an unknown type ${JSON.stringify(type)}`,
      );
  }
}

function versionOf(metadata: Record<string, unknown>): string {
  const version = metadata['resourceVersion'];
  return typeof version === 'string' ? version : '';
}
