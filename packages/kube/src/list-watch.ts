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
/** Pages that are asked for before the reflector does: the server makes the next ones while this process reads one. */
const maxAhead = 2;

/** A page that was asked for. */
interface PageRequest {
  readonly next: string;
  readonly page: Promise<ListPage>;
  readonly abort: AbortController;
  /** Of the page after this one; '' if there is none, or not known yet. */
  token: string;
}

/** List and watch over HTTP (Kubernetes API concepts, "Efficient detection of changes"). */
export class HttpListWatch implements ListWatch {
  readonly path: string;
  readonly #options: HttpListWatchOptions;
  #last: PageRequest | undefined;
  #ahead: PageRequest[] = [];

  constructor(options: HttpListWatchOptions) {
    this.#options = options;
    this.path = options.path;
  }

  list(next: string, limit: number, signal: AbortSignal): Promise<ListPage> {
    const ready = next !== '' && this.#ahead[0]?.next === next ? this.#ahead.shift() : undefined;
    if (ready === undefined) {
      // Another list than the one that was read ahead of.
      for (const { abort } of this.#ahead) abort.abort();
      this.#ahead = [];
      this.#last = undefined;
    }
    const asked = ready ?? this.#ask(next, limit, signal);
    this.#readAhead(limit, signal);
    return asked.page;
  }

  #ask(next: string, limit: number, signal: AbortSignal): PageRequest {
    const abort = new AbortController();
    const asked: PageRequest = {
      next,
      abort,
      token: '',
      page: this.#page(next, limit, AbortSignal.any([signal, abort.signal]), (text) => {
        asked.token = continueToken(text);
        if (this.#last === asked) this.#readAhead(limit, signal);
      }),
    };
    // Whoever takes the page hears of its failure; one that is not taken concerns nobody.
    asked.page.catch(() => undefined);
    this.#last = asked;
    return asked;
  }

  #readAhead(limit: number, signal: AbortSignal): void {
    const token = this.#last?.token ?? '';
    if (token === '' || this.#ahead.length >= maxAhead || signal.aborted) return;
    this.#ahead.push(this.#ask(token, limit, signal));
  }

  async #page(
    next: string,
    limit: number,
    signal: AbortSignal,
    onText: (text: string) => void,
  ): Promise<ListPage> {
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
      onText,
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

/**
 * The token of the next page, as it stands before the items in what API servers send. '' if it is not found there, and then
 * the next page is asked for once this one is read.
 */
function continueToken(text: string): string {
  const head = text.slice(0, Math.max(0, text.indexOf('"items":')));
  return /"metadata":\{[^{}]*"continue":"([^"\\]+)"/.exec(head)?.[1] ?? '';
}

function versionOf(metadata: Record<string, unknown>): string {
  const version = metadata['resourceVersion'];
  return typeof version === 'string' ? version : '';
}
