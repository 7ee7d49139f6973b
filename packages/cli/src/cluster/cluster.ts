import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { KubeClient, KubeConfigError, KubeConnection } from '@ambient/kube';
import { realClock } from '@ambient/runtime';
import { KubeConfig } from '@kubernetes/client-node';

import type { CliContext, GlobalOptions } from '../context.ts';

/** A cluster, as a kubeconfig names it. */
export class Cluster implements Disposable {
  readonly client: KubeClient;
  readonly config: KubeConfig;
  /** Of the option, else of the kubeconfig's context, else `default`. */
  readonly namespace: string;
  readonly istioNamespace: string;
  readonly #connection: KubeConnection;

  private constructor(config: KubeConfig, options: GlobalOptions) {
    this.config = config;
    this.#connection = new KubeConnection(config);
    this.client = new KubeClient(this.#connection, realClock, {
      caller: {
        name: 'ambientctl',
        remedies: {
          401: 'check the user of the kubeconfig, or take another context (--context)',
          403: 'ask for this permission, or take another context (--context)',
        },
      },
    });
    this.namespace = options.namespace ?? this.#connection.namespace ?? 'default';
    this.istioNamespace = options.istioNamespace;
  }

  /** @throws KubeConfigError */
  static open(options: GlobalOptions, { settings }: Pick<CliContext, 'settings'>): Cluster {
    const files = options.kubeconfig ?? settings.kubeconfig ?? join(settings.home ?? '/', '.kube', 'config');
    const present = files.split(':').filter((file) => file !== '' && existsSync(file));
    if (present.length === 0)
      throw new KubeConfigError(
        `there is no kubeconfig at ${files}; name one with --kubeconfig, or by the variable KUBECONFIG`,
      );
    const config = new KubeConfig();
    try {
      const [first, ...others] = present;
      config.loadFromFile(first!);
      for (const file of others) {
        const further = new KubeConfig();
        further.loadFromFile(file);
        config.mergeConfig(further, true);
      }
    } catch (error) {
      throw new KubeConfigError(`cannot read the kubeconfig ${files}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if (options.context !== undefined) {
      const names = config.getContexts().map(({ name }) => name);
      if (!names.includes(options.context))
        throw new KubeConfigError(
          `the kubeconfig has no context ${options.context}; it has ${names.join(', ') || 'none'}`,
        );
      config.setCurrentContext(options.context);
    }
    return new Cluster(config, options);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }
}
