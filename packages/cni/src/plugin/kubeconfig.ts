import { parseBlockYaml } from './block-yaml.ts';

/** How to reach the Kubernetes API, and as whom. */
export interface KubeAccess {
  readonly server: URL;
  /** PEM; undefined: the system's roots. */
  readonly ca: string | undefined;
  readonly token: string;
  readonly serverName: string | undefined;
  readonly insecure: boolean;
}

/** A kubeconfig that cannot be used; the text names the field. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
  readonly code = 'ERR_KUBECONFIG';
}

type Mapping = Readonly<Record<string, unknown>>;

/**
 * Reads a kubeconfig, JSON or YAML, for a client that shows a token.
 * @param readFile for `tokenFile` and `certificate-authority`
 * @throws KubeconfigError, or what `readFile` throws
 */
export function parseKubeconfig(text: string, readFile: (path: string) => string): KubeAccess {
  const root = mappingOf(parse(text), 'the kubeconfig');
  const context = entryOf(root, 'contexts', 'context', textOf(root, 'current-context'));
  const cluster = entryOf(root, 'clusters', 'cluster', textOf(context, 'cluster'));
  const user = entryOf(root, 'users', 'user', textOf(context, 'user'));
  const token = textOf(user, 'token') || readFileOf(user, 'tokenFile', readFile)?.trim();
  if (token === undefined || token === '')
    throw new KubeconfigError('the user has neither token nor tokenFile');
  const server = URL.parse(textOf(cluster, 'server'));
  if (server === null || !/^https?:$/.test(server.protocol))
    throw new KubeconfigError('server of the cluster is no https URL');
  const data = textOf(cluster, 'certificate-authority-data');
  return {
    server,
    ca:
      data !== ''
        ? Buffer.from(data, 'base64').toString('latin1')
        : readFileOf(cluster, 'certificate-authority', readFile),
    token,
    serverName: textOf(cluster, 'tls-server-name') || undefined,
    insecure: textOf(cluster, 'insecure-skip-tls-verify') === 'true',
  };
}

/** What the agent writes for the plugin: JSON, which is YAML as well, so that anybody's tools read it. */
export function renderKubeconfig(server: string, ca: string | undefined, token: string): string {
  const trust =
    ca === undefined
      ? { 'insecure-skip-tls-verify': true }
      : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster: { server, ...trust } }],
    users: [{ name: 'istio-cni', user: { token } }],
    contexts: [{ name: 'istio-cni-context', context: { cluster: 'local', user: 'istio-cni' } }],
    'current-context': 'istio-cni-context',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function parse(text: string): unknown {
  try {
    return text.trimStart().startsWith('{') ? JSON.parse(text) : parseBlockYaml(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new KubeconfigError(`it cannot be read: ${reason}`, { cause });
  }
}

function entryOf(root: Mapping, list: string, key: string, name: string): Mapping {
  const entries: readonly unknown[] = Array.isArray(root[list]) ? (root[list] as unknown[]) : [];
  for (const entry of entries) {
    const named = mappingOf(entry, list);
    if (named['name'] === name) return mappingOf(named[key], `${list} ${JSON.stringify(name)}`);
  }
  throw new KubeconfigError(`there is no ${JSON.stringify(name)} in ${list}`);
}

function readFileOf(of: Mapping, key: string, readFile: (path: string) => string): string | undefined {
  const path = textOf(of, key);
  return path === '' ? undefined : readFile(path);
}

function textOf(of: Mapping, key: string): string {
  const value = of[key];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  throw new KubeconfigError(`${key} must be text`);
}

function mappingOf(value: unknown, what: string): Mapping {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Mapping;
  throw new KubeconfigError(`${what} must be a mapping`);
}
