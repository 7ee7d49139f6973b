import { KubeConfig, loadYaml } from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { dirname, resolve } from 'node:path';

import { isRecord, KubeConfigError } from './errors.ts';
import { TokenFile } from './token-file.ts';

/** What one request to the API server is made with. */
export interface PreparedRequest {
  readonly module: typeof http | typeof https;
  readonly options: https.RequestOptions;
}

/**
 * Address and credentials of one API server. `@kubernetes/client-node` reads them (kubeconfig, exec plugins, and refreshes them);
 * the connections are kept alive here, since the library opens a TLS session for each request, and files with tokens are read
 * here: the library would go on with an expired token for a minute, and does not know `tokenFile` of a kubeconfig.
 */
export class KubeConnection implements Disposable {
  /** Base URL, without a slash at the end. */
  readonly server: string;
  /** Namespace of the current context; in a cluster that of the pod. */
  readonly namespace: string | undefined;
  readonly #config: KubeConfig;
  readonly #agent: http.Agent;
  readonly #viaProxy: boolean;
  readonly #tokenFile: TokenFile | undefined;

  /**
   * @param tokenFile of the current user, where the configuration does not say it itself
   * @throws KubeConfigError
   */
  constructor(config: KubeConfig, tokenFile = tokenFileOf(config)) {
    const cluster = config.getCurrentCluster();
    if (!cluster || !URL.canParse(cluster.server))
      throw new KubeConfigError(
        cluster
          ? `the kubeconfig names no usable server: ${JSON.stringify(cluster.server)}`
          : 'the kubeconfig has no current context that names a cluster; set current-context',
      );
    this.#config = config;
    this.server = cluster.server.replace(/\/+$/, '');
    this.namespace = config.getContextObject(config.getCurrentContext())?.namespace?.trim() || undefined;
    this.#viaProxy = Boolean(cluster.proxyUrl);
    this.#tokenFile = tokenFile === undefined ? undefined : new TokenFile(tokenFile);
    const agentOptions = { keepAlive: true, keepAliveMsecs: 30_000, scheduling: 'lifo' as const };
    this.#agent = this.server.startsWith('https:')
      ? new https.Agent(agentOptions)
      : new http.Agent(agentOptions);
  }

  /** @throws KubeConfigError */
  static fromFile(file: string): KubeConnection {
    const config = new KubeConfig();
    try {
      config.loadFromFile(file);
    } catch (error) {
      throw new KubeConfigError(`cannot read the kubeconfig ${file}: ${messageOf(error)}`, { cause: error });
    }
    return new KubeConnection(config, tokenFileIn(file, config) ?? tokenFileOf(config));
  }

  /** The service account of the pod that this process runs in. @throws KubeConfigError outside of a pod */
  static inCluster(): KubeConnection {
    const config = new KubeConfig();
    config.loadFromCluster();
    if (config.getCurrentCluster()?.server.includes('undefined') !== false)
      throw new KubeConfigError(
        'not in a pod: KUBERNETES_SERVICE_HOST is not set; name a kubeconfig with --kubeconfig',
      );
    return new KubeConnection(config);
  }

  /** Options with credentials that are valid now. @throws KubeConfigError */
  async prepare(method: string, path: string, headers: Record<string, string>): Promise<PreparedRequest> {
    const url = new URL(this.server + path);
    const options: https.RequestOptions = { headers };
    try {
      const token = this.#tokenFile?.token;
      await this.#config.applyToHTTPSOptions(options);
      if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
    } catch (error) {
      if (error instanceof KubeConfigError) throw error;
      throw new KubeConfigError(
        `cannot get credentials for ${this.server}: ${messageOf(error)}; check the user in the kubeconfig`,
        { cause: error },
      );
    }
    const secure = url.protocol === 'https:';
    return {
      module: secure ? https : http,
      options: {
        ...options,
        method,
        host: url.hostname.replace(/^\[|\]$/g, ''),
        port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
        path: url.pathname + url.search,
        // Certificates are part of the request's options, and so of the name of the pool that serves it.
        agent: this.#viaProxy ? options.agent : this.#agent,
      },
    };
  }

  /**
   * Whether a request that was refused as unknown (401) may be made again, since there is another token now.
   *
   * @throws KubeConfigError the token was refused, and there is no other since the file cannot be used
   */
  hasNewCredentials({ options }: PreparedRequest): boolean {
    const used = (options.headers as Record<string, string> | undefined)?.['Authorization'] ?? '';
    try {
      return this.#tokenFile?.isRenewed(used.replace(/^Bearer /, '')) ?? false;
    } catch (cause) {
      throw new KubeConfigError(`${this.server} refuses the last token (401), and ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** Of the user that a configuration made in a program names, as in a pod. */
function tokenFileOf(config: KubeConfig): string | undefined {
  const provider = config.getCurrentUser()?.authProvider as
    { readonly config?: { readonly tokenFile?: unknown } } | undefined;
  const path = provider?.config?.tokenFile;
  return typeof path === 'string' && path !== '' ? path : undefined;
}

/** `tokenFile` of the current user in a kubeconfig; relative to it, and before `token`, as for kubectl. */
function tokenFileIn(file: string, config: KubeConfig): string | undefined {
  const document: unknown = loadYaml(readFileSync(file, 'utf8'));
  const users: readonly unknown[] =
    isRecord(document) && Array.isArray(document['users']) ? document['users'] : [];
  const name = config.getCurrentUser()?.name;
  const entry = users.find((each) => isRecord(each) && each['name'] === name);
  const user = isRecord(entry) ? entry['user'] : undefined;
  const path = isRecord(user) ? user['tokenFile'] : undefined;
  return typeof path === 'string' && path !== '' ? resolve(dirname(file), path) : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
