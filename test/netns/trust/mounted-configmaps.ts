import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger, LogLevels, realClock, silentSink } from '@ambient/runtime';

import type { ConfigMap, KubeClient } from '@ambient/kube';
import { HttpListWatch, Reflector } from '@ambient/kube';

/** What a kubelet does for the ConfigMaps that a pod mounts: each of their entries is a file that follows them. */
export class MountedConfigMaps implements AsyncDisposable {
  readonly folder: string;
  readonly #held = new Map<string, ConfigMap>();
  readonly #reflector: Reflector<ConfigMap>;

  constructor(client: KubeClient, namespace: string, folder: string) {
    this.folder = folder;
    this.#reflector = new Reflector<ConfigMap>({
      source: new HttpListWatch({ client, path: `/api/v1/namespaces/${namespace}/configmaps` }),
      target: {
        get: (key) => this.#held.get(key),
        keys: () => [...this.#held.keys()],
        put: (key, configMap) => {
          this.#held.set(key, configMap);
          this.#write(configMap);
        },
        remove: (key) => void this.#held.delete(key),
      },
      prepare: (raw) => raw as ConfigMap,
      log: new Logger(new LogLevels('error'), silentSink, 'test'),
      clock: realClock,
    });
    this.#reflector.start();
  }

  /** Text of one entry; undefined as long as there is none. */
  read(entry: string): string | undefined {
    for (const { data } of this.#held.values()) {
      const text = data?.[entry];
      if (text !== undefined) return text;
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reflector.stop();
  }

  #write({ data = {} }: ConfigMap): void {
    for (const [entry, text] of Object.entries(data)) {
      const path = join(this.folder, entry);
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path); // a reader sees the old or the new, never half
    }
  }
}
