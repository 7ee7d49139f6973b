import { KubeConfig } from '@kubernetes/client-node';
import http from 'node:http';
import https from 'node:https';

import { KubeConfigError } from './errors.ts';

/** What one request to the API server is made with. */
export interface PreparedRequest {
  readonly module: typeof http | typeof https;
  readonly options: https.RequestOptions;
}

/**
 * Address and credentials of one API server. `@kubernetes/client-node` reads them (kubeconfig, exec plugins, token files, and
 * refreshes them); the connections are kept alive here, since the library opens a TLS session for each request.
 */
export class KubeConnection implements Disposable {
  /** Base URL, without a slash at the end. */
  readonly server: string;
  /** Namespace of the current context; in a cluster that of the pod. */
  readonly namespace: string | undefined;
  readonly #config: KubeConfig;
  readonly #agent: http.Agent;
  readonly #viaProxy: boolean;

  /** @throws KubeConfigError */
  constructor(config: KubeConfig) {
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
    return new KubeConnection(config);
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
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
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

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
