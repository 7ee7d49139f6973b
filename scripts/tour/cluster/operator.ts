import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeClient, KubeObject } from '@ambient/kube';
import { patchType } from '@ambient/kube';
import { parse } from 'yaml';

/** kubectl did not do what it was told to. */
export class KubectlError extends Error {
  override readonly name = 'KubectlError';
  readonly code = 'ERR_KUBECTL';
}

const FIELD_MANAGER = 'ambient-tour';
const DEADLINE_MS = 20_000;
const MOST_OUTPUT = 16 * 1024 * 1024;
const NO_KUBECTL = '(no kubectl on PATH)';

/** Paths of the kinds that the tour changes, below that of their namespace. */
const collections: Readonly<Record<string, string>> = {
  AuthorizationPolicy: 'authorizationpolicies',
  PeerAuthentication: 'peerauthentications',
  Pod: 'pods',
};

const run = promisify(execFile);

/** Whoever works on the cluster with manifests: by kubectl where the machine has one, else by requests to the API. */
export class Operator {
  readonly #client: KubeClient;
  readonly #kubeconfig: string;
  /** Absolute path of kubectl, undefined if there is none. */
  readonly kubectl: string | undefined;

  /** @param path where programs are, as in the environment variable PATH */
  constructor(client: KubeClient, kubeconfig: string, path: string) {
    this.#client = client;
    this.#kubeconfig = kubeconfig;
    this.kubectl = findProgram('kubectl', path);
  }

  /** How `apply` and `remove` are done, for people: a command line, or what takes its place. */
  describe(verb: 'apply' | 'delete', file: string): string {
    const name = basename(file);
    if (this.kubectl !== undefined) return `$ kubectl ${verb} -f ${name}`;
    return `${verb === 'apply' ? 'PATCH' : 'DELETE'} ${objectPath(readManifest(file))} ${NO_KUBECTL}`;
  }

  /** @throws KubectlError, KubeStatusError */
  async apply(file: string): Promise<void> {
    if (this.kubectl !== undefined) {
      await this.run(['apply', '-f', file]);
      return;
    }
    const manifest = readManifest(file);
    await this.#client.request({
      method: 'PATCH',
      path: objectPath(manifest),
      query: { fieldManager: FIELD_MANAGER },
      body: manifest,
      contentType: patchType.apply,
    });
  }

  /** @throws KubectlError, KubeStatusError */
  async remove(file: string): Promise<void> {
    if (this.kubectl !== undefined) await this.run(['delete', '-f', file, '--wait=false']);
    else await this.#client.request({ method: 'DELETE', path: objectPath(readManifest(file)) });
  }

  /**
   * Sets a label of namespaces, or takes it away, and returns how, for people.
   *
   * @param value undefined: away with it
   * @throws KubectlError, KubeStatusError
   */
  async labelNamespaces(names: readonly string[], label: string, value: string | undefined): Promise<string> {
    if (this.kubectl !== undefined) {
      const args = ['label', 'namespace', ...names, value === undefined ? `${label}-` : `${label}=${value}`];
      await this.run(args);
      return `$ kubectl ${args.join(' ')}`;
    }
    const paths = names.map((name) => `/api/v1/namespaces/${name}`);
    const body = { metadata: { labels: { [label]: value ?? null } } };
    await Promise.all(
      paths.map((path) =>
        this.#client.request({ method: 'PATCH', path, body, contentType: patchType.merge }),
      ),
    );
    const change = value === undefined ? `without label ${label}` : `label ${label}=${value}`;
    return `PATCH ${paths.join(', ')}: ${change} ${NO_KUBECTL}`;
  }

  /**
   * What kubectl prints, with its command line; or, without kubectl, what `otherwise` returns, below the request that it stands
   * for.
   *
   * @throws KubectlError
   */
  async show(
    args: readonly string[],
    otherwise: { readonly path: string; readonly lines: () => Promise<string[]> },
  ): Promise<{ readonly how: string; readonly lines: string[] }> {
    if (this.kubectl !== undefined)
      return { how: `$ kubectl ${args.join(' ')}`, lines: await this.run(args) };
    return { how: `GET ${otherwise.path} ${NO_KUBECTL}`, lines: await otherwise.lines() };
  }

  /** Runs kubectl, which must be there, and returns the lines of its output. @throws KubectlError */
  async run(args: readonly string[]): Promise<string[]> {
    try {
      const { stdout } = await run(this.kubectl!, ['--kubeconfig', this.#kubeconfig, ...args], {
        timeout: DEADLINE_MS,
        maxBuffer: MOST_OUTPUT,
      });
      return stdout.trimEnd().split('\n');
    } catch (error) {
      const { stderr = '', message } = error as Error & { readonly stderr?: string };
      throw new KubectlError(`kubectl ${args.join(' ')} failed:\n${stderr.trim() || message}`, {
        cause: error,
      });
    }
  }
}

export function readManifest(file: string): KubeObject {
  return parse(readFileSync(file, 'utf8')) as KubeObject;
}

function objectPath({ apiVersion, kind, metadata }: KubeObject): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${metadata.namespace}/${collections[kind]}/${metadata.name}`;
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((candidate) => {
      try {
        accessSync(candidate, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
