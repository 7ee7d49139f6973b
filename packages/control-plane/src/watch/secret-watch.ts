import type { Clock, Logger } from '@ambient/runtime';

import type { KubeClient, KubeObject, ReflectorTarget } from '@ambient/kube';
import { builtInPath, HttpListWatch, Reflector } from '@ambient/kube';

export interface SecretWatchOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** One watch each, so that a role that allows these names only is enough. */
  readonly names: readonly string[];
  /** A Secret was made, changed or deleted; also called for what is there at the start. */
  readonly onChange: (name: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Tells that Secrets change; what they hold is neither kept nor passed on, since it may be keys. */
export class SecretWatch implements Disposable {
  readonly #reflectors: readonly Reflector<KubeObject>[];

  constructor(options: SecretWatchOptions) {
    this.#reflectors = options.names.map((name) => reflector(name, options));
  }

  start(): void {
    for (const each of this.#reflectors) each.start();
  }

  [Symbol.dispose](): void {
    for (const each of this.#reflectors) void each.stop();
  }
}

function reflector(name: string, { client, namespace, onChange, clock, log }: SecretWatchOptions) {
  const seen = new Map<string, KubeObject>();
  const target: ReflectorTarget<KubeObject> = {
    get: (key) => seen.get(key),
    keys: () => [...seen.keys()],
    put: (key, secret) => {
      seen.set(key, secret);
      onChange(name);
    },
    remove: (key) => {
      seen.delete(key);
      onChange(name);
    },
  };
  return new Reflector<KubeObject>({
    source: new HttpListWatch({
      client,
      path: builtInPath('Secret', namespace),
      fieldSelector: `metadata.name=${name}`,
    }),
    target,
    prepare: withoutData,
    clock,
    log,
  });
}

function withoutData(raw: unknown): KubeObject | undefined {
  const { metadata } = raw as Partial<KubeObject>;
  if (typeof metadata?.name !== 'string') return undefined;
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      uid,
      ...(namespace === undefined ? {} : { namespace }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}
