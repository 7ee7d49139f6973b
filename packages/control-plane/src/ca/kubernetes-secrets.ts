import type { NewSecret, SecretApi, StoredSecret } from './secret-api.ts';
import { KubeStatusError, patchType, resourcePath } from '@ambient/kube';
import type { KubeClient } from '@ambient/kube';

/** The part of a Secret that is used. */
interface Secret {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
  };
}

const secrets = { group: '', plural: 'secrets', namespaced: true };

/** Secrets of one namespace, in the API. */
export class KubeSecrets implements SecretApi {
  readonly namespace: string;
  readonly #client: KubeClient;

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.namespace = namespace;
  }

  async read(name: string): Promise<StoredSecret | undefined> {
    const secret = await this.#get(name);
    return secret === undefined ? undefined : stored(secret);
  }

  async create({ name, type, files }: NewSecret): Promise<boolean> {
    return this.#taken([409], () =>
      this.#client.request({
        method: 'POST',
        path: this.#path(),
        body: {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name, namespace: this.namespace, labels: { 'istio.io/config': 'true' } },
          type,
          data: encoded(files),
        },
      }),
    );
  }

  async replace(secret: StoredSecret, files: StoredSecret['files']): Promise<boolean> {
    // Labels and annotations stay as they are: a merge with null deletes the files that are no more.
    const gone = Object.keys(secret.files).filter((file) => !(file in files));
    return this.#taken([409, 404], () =>
      this.#client.request({
        method: 'PATCH',
        path: this.#path(secret.name),
        contentType: patchType.merge,
        body: {
          metadata: { resourceVersion: secret.resourceVersion },
          data: { ...encoded(files), ...Object.fromEntries(gone.map((file) => [file, null])) },
        },
      }),
    );
  }

  async #get(name: string): Promise<Secret | undefined> {
    try {
      return await this.#client.request<Secret>({ path: this.#path(name) });
    } catch (error) {
      if (error instanceof KubeStatusError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** @returns false if the server answered with one of these statuses */
  async #taken(refusals: readonly number[], write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (error instanceof KubeStatusError && refusals.includes(error.status)) return false;
      throw error;
    }
  }

  #path(name?: string): string {
    return resourcePath(secrets, 'v1', this.namespace, name);
  }
}

function stored({ metadata, type, data }: Secret): StoredSecret {
  return {
    name: metadata.name,
    type: type ?? '',
    files: Object.fromEntries(
      Object.entries(data ?? {}).map(([file, text]) => [file, Buffer.from(text, 'base64').toString('utf8')]),
    ),
    annotations: metadata.annotations ?? {},
    resourceVersion: metadata.resourceVersion ?? '',
  };
}

function encoded(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([file, text]) => [file, Buffer.from(text, 'utf8').toString('base64')]),
  );
}
