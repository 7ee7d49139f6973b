import type { Command } from 'commander';

import type { CliContext, GlobalOptions } from '../context.ts';
import { CliError } from '../errors.ts';
import { directAdminClient } from './admin-client.ts';
import type { AdminClient } from './admin-client.ts';
import { Cluster } from './cluster.ts';
import { Ztunnels } from './ztunnels.ts';

/** Which ztunnels a command asks. */
export interface AdminOptions extends GlobalOptions {
  readonly node?: string;
  readonly admin?: string;
  readonly proxyAdminPort: number;
}

export function withAdminOptions(command: Command): Command {
  return command
    .option('--node <node>', 'asks the ztunnel of this node')
    .option('--admin <address>', 'asks the ztunnel whose admin server is at HOST:PORT, without a cluster')
    .option('--proxy-admin-port <port>', "port of a pod's admin server", Number, 15000);
}

/** The way to ztunnels, open until it is disposed. */
export class AdminAccess implements Disposable {
  readonly #options: AdminOptions;
  readonly #cluster: Cluster | undefined;

  /** @throws KubeConfigError */
  constructor(context: CliContext, options: AdminOptions) {
    this.#options = options;
    this.#cluster = options.admin === undefined ? Cluster.open(options, context) : undefined;
  }

  /** Those that are named, else all. @throws CliError */
  async pick(pod: string | undefined): Promise<AdminClient[]> {
    const { node, admin, proxyAdminPort } = this.#options;
    if ([node, admin, pod].filter((each) => each !== undefined).length > 1)
      throw new CliError('USAGE', 'give at most one of a pod, --node and --admin');
    if (admin !== undefined) return [directAdminClient(admin)];
    const ztunnels = new Ztunnels(this.#cluster!, proxyAdminPort);
    if (pod !== undefined) return [await ztunnels.named(pod)];
    if (node !== undefined) return [await ztunnels.ofNode(node)];
    return ztunnels.all();
  }

  [Symbol.dispose](): void {
    this.#cluster?.[Symbol.dispose]();
  }
}
