import { accessSync, constants, readFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import type { NetnsLab } from '@ambient/testkit/lab';
import { parse } from 'yaml';
import type { KubeClient, KubeObject } from './kube-client.ts';

/** kubectl did not do what it was told to. */
export class KubectlError extends Error {
  override readonly name = 'KubectlError';
  readonly code = 'ERR_KUBECTL';
}

const FIELD_MANAGER = 'ambient-tour';

/** Paths of the kinds that the tour changes, below that of their namespace. */
const collections: Readonly<Record<string, string>> = {
  AuthorizationPolicy: 'authorizationpolicies',
  PeerAuthentication: 'peerauthentications',
};

/** Whoever works on the cluster with manifests: by kubectl where the machine has one, else by requests to the API. */
export class Operator {
  readonly #lab: NetnsLab;
  readonly #api: KubeClient;
  readonly #kubeconfig: string;
  /** Absolute path of kubectl, undefined if there is none. */
  readonly kubectl: string | undefined;

  constructor(lab: NetnsLab, api: KubeClient, kubeconfig: string, path: string) {
    this.#lab = lab;
    this.#api = api;
    this.#kubeconfig = kubeconfig;
    this.kubectl = findProgram('kubectl', path);
  }

  /** How `apply` and `remove` are done, for people: a command line, or what takes its place. */
  describe(verb: 'apply' | 'delete', file: string): string {
    const name = basename(file);
    if (this.kubectl !== undefined) return `$ kubectl ${verb} -f ${name}`;
    return `${verb === 'apply' ? 'PATCH' : 'DELETE'} ${objectPath(readManifest(file))} (no kubectl on PATH)`;
  }

  /** @throws KubectlError, KubeCallError */
  async apply(file: string): Promise<void> {
    if (this.kubectl !== undefined) {
      await this.run(['apply', '-f', file]);
      return;
    }
    const manifest = readManifest(file);
    await this.#api.call({
      method: 'PATCH',
      path: `${objectPath(manifest)}?fieldManager=${FIELD_MANAGER}`,
      body: manifest,
      contentType: 'application/apply-patch+yaml',
    });
  }

  /** @throws KubectlError, KubeCallError */
  async remove(file: string): Promise<void> {
    if (this.kubectl !== undefined) await this.run(['delete', '-f', file]);
    else await this.#api.call({ method: 'DELETE', path: objectPath(readManifest(file)) });
  }

  /** Sets a label of namespaces, and returns how, for people. @throws KubectlError, KubeCallError */
  async labelNamespaces(names: readonly string[], label: string, value: string): Promise<string> {
    if (this.kubectl !== undefined) {
      const args = ['label', 'namespace', ...names, `${label}=${value}`];
      await this.run(args);
      return `$ kubectl ${args.join(' ')}`;
    }
    const paths = names.map((name) => `/api/v1/namespaces/${name}`);
    const body = { metadata: { labels: { [label]: value } } };
    const contentType = 'application/merge-patch+json';
    await Promise.all(paths.map((path) => this.#api.call({ method: 'PATCH', path, body, contentType })));
    return `PATCH ${paths.join(', ')}: label ${label}=${value} (no kubectl on PATH)`;
  }

  /** Runs kubectl, which must be there, and returns the lines of its output. @throws KubectlError */
  async run(args: readonly string[]): Promise<string[]> {
    const command = await this.#lab.launch({
      name: 'kubectl',
      argv: [this.kubectl!, ...args],
      env: { KUBECONFIG: this.#kubeconfig },
    });
    const { code } = await command.exited;
    if (code === 0) return command.stdout.trimEnd().split('\n');
    throw new KubectlError(`kubectl ${args.join(' ')} gave ${code ?? -1}:\n${command.lines.join('\n')}`);
  }
}

export function readManifest(file: string): KubeObject {
  return parse(readFileSync(file, 'utf8')) as KubeObject;
}

function objectPath({ apiVersion, kind, metadata }: KubeObject): string {
  return `/apis/${apiVersion}/namespaces/${metadata.namespace}/${collections[kind]}/${metadata.name}`;
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
