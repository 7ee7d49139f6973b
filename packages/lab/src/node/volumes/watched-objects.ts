import type { Clock, Logger } from '@ambient/runtime';
import { builtInPath, HttpListWatch, isRecord, Reflector } from '@ambient/kube';
import type { KubeClient, KubeObject } from '@ambient/kube';

export type ObjectKind = 'ConfigMap' | 'Secret';

/** ConfigMap or Secret: `data` and the like stand beside metadata. */
interface DataObject extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

interface Watched {
  readonly reflector: Reflector<DataObject>;
  readonly users: Set<() => void>;
  readonly synced: Promise<void>;
  object: DataObject | undefined;
}

export interface WatchedObjectsOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly clock: Clock;
}

/** The ConfigMaps and Secrets that the pods of a node use, each watched by itself for as long as a pod uses it. */
export class WatchedObjects implements AsyncDisposable {
  readonly #options: WatchedObjectsOptions;
  readonly #watched = new Map<string, Watched>();

  constructor(options: WatchedObjectsOptions) {
    this.#options = options;
  }

  /**
   * Begins to follow an object.
   *
   * @param onChange called for each change after the first list
   * @returns ends it
   */
  async follow(kind: ObjectKind, namespace: string, name: string, onChange: () => void): Promise<() => void> {
    const key = keyOf(kind, namespace, name);
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      watched = this.#watch(kind, namespace, name);
      this.#watched.set(key, watched);
    }
    const { users, reflector, synced } = watched;
    users.add(onChange);
    await synced;
    return () => {
      users.delete(onChange);
      if (users.size > 0 || this.#watched.get(key) !== watched) return;
      this.#watched.delete(key);
      void reflector.stop();
    };
  }

  /** The data of an object that is followed; undefined if there is none. */
  data(kind: ObjectKind, namespace: string, name: string): Readonly<Record<string, Buffer>> | undefined {
    const object = this.#watched.get(keyOf(kind, namespace, name))?.object;
    if (object === undefined) return undefined;
    const encoding = kind === 'Secret' ? 'base64' : 'utf8';
    const decoded = (map: unknown, how: BufferEncoding): [string, Buffer][] =>
      isRecord(map) ? Object.entries(map).map(([name, text]) => [name, Buffer.from(String(text), how)]) : [];
    return Object.fromEntries([...decoded(object.data, encoding), ...decoded(object.binaryData, 'base64')]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#watched.values()];
    this.#watched.clear();
    await Promise.all(all.map(({ reflector }) => reflector.stop()));
  }

  #watch(kind: ObjectKind, namespace: string, name: string): Watched {
    const { client, log, clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const told = (object: DataObject | undefined): void => {
      watched.object = object;
      for (const user of [...watched.users]) user();
    };
    const reflector = new Reflector<DataObject>({
      source: new HttpListWatch({
        client,
        path: builtInPath(kind, namespace),
        fieldSelector: `metadata.name=${name}`,
      }),
      target: {
        get: () => watched.object,
        keys: () => (watched.object === undefined ? [] : [`${namespace}/${name}`]),
        put: (_key, object) => told(object),
        remove: () => told(undefined),
      },
      prepare: (raw) =>
        isRecord(raw) && isRecord(raw['metadata']) ? (raw as unknown as DataObject) : undefined,
      log,
      clock,
      onSynced: resolve,
    });
    const watched: Watched = { reflector, users: new Set(), synced: promise, object: undefined };
    reflector.start();
    return watched;
  }
}

function keyOf(kind: ObjectKind, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}
