import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Logger, Readiness } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import { PLUGIN_TYPE } from '../../conflist/conflist.ts';
import type { Repair } from '../../conflist/installer.ts';
import { PluginInstaller } from '../../conflist/installer.ts';
import { PluginKeeper } from '../../conflist/keeper.ts';
import { agentFiles } from '../../plugin/agent-client.ts';
import type { AgentMetrics, InstallResult } from '../metrics.ts';
import type { AgentSettings } from '../settings/settings.ts';
import { keepKubeconfig } from './plugin-kubeconfig.ts';

export interface InstallationOptions {
  readonly settings: Pick<AgentSettings, 'ambient' | 'cluster' | 'install' | 'paths'>;
  /** Blocked while something is not as it should be. */
  readonly readiness: Readiness;
  readonly metrics: Pick<AgentMetrics, 'installLook' | 'installed'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A part of what is installed. */
interface Step {
  /** What its failure is called in metrics. */
  readonly failure: InstallResult;
  /** What it keeps; undefined: nothing comes after it. */
  readonly path: string | undefined;
  readonly install: () => readonly Repair[];
}

/** What the agent puts on its node, kept as it should be until it ends: the plugin, its credentials, its entry. */
export class Installation implements Disposable {
  readonly #options: InstallationOptions;
  readonly #installer: PluginInstaller;
  readonly #kubeconfig: string;
  readonly #steps: readonly Step[];
  readonly #keeper: PluginKeeper;
  #blocked: Disposable | undefined;
  #failedStep: InstallResult = 'CREATE_CNI_CONFIG_FAILURE';
  #lastFailure = '';

  constructor(options: InstallationOptions) {
    this.#options = options;
    const { settings, readiness, clock } = options;
    const { cluster, paths } = settings;
    this.#blocked = readiness.block('installation');
    this.#installer = makeInstaller(settings);
    this.#kubeconfig = join(paths.mountedRunDirectory, agentFiles.kubeconfig);
    const access = {
      server: apiServerUrl(cluster.apiHost, cluster.apiPort),
      accountDirectory: cluster.accountDirectory,
    };
    // The binary comes before the entry: an entry without it would keep every pod from starting.
    this.#steps = [
      {
        failure: 'CREATE_KUBECONFIG_FAILURE',
        path: this.#kubeconfig,
        install: () => keepKubeconfig(this.#kubeconfig, access),
      },
      {
        failure: 'COPY_BINARIES_FAILURE',
        path: join(paths.binaryDirectory, PLUGIN_TYPE),
        install: () => this.#installer.installBinary(),
      },
      {
        failure: 'CREATE_CNI_CONFIG_FAILURE',
        path: undefined,
        install: () => this.#installer.installEntry(),
      },
    ];
    for (const directory of [paths.configDirectory, paths.binaryDirectory])
      mkdirSync(directory, { recursive: true });
    this.#keeper = new PluginKeeper({
      install: () => this.#install(),
      directories: [paths.configDirectory, paths.binaryDirectory, cluster.accountDirectory],
      clock,
      onLooked: ({ repairs, error }) => this.#onLooked(repairs, error),
    });
  }

  /** Leaves what is installed as it is from now on. */
  stop(): void {
    this.#keeper.stop();
  }

  /** Removes all of it; after `stop`. */
  uninstall(): void {
    this.#installer.uninstall();
    rmSync(this.#kubeconfig, { force: true });
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /**
   * Takes all steps. One that fails where an earlier one of it has succeeded does not keep those after it from being taken:
   * pods that start need the entry, whatever has become of a token or of the disk.
   * @throws the first failure
   */
  #install(): readonly Repair[] {
    const repairs: Repair[] = [];
    const failures: unknown[] = [];
    for (const { failure, path, install } of this.#steps)
      try {
        repairs.push(...install());
      } catch (error) {
        if (failures.length === 0) this.#failedStep = failure;
        failures.push(error);
        if (path === undefined || !existsSync(path)) break;
      }
    if (failures.length === 0) return repairs;
    this.#tellRepairs(repairs);
    throw failures[0];
  }

  #tellRepairs(repairs: readonly Repair[]): void {
    for (const { file, problem } of repairs) this.#options.log.info('installed', { file, problem });
  }

  #onLooked(repairs: readonly Repair[], error: unknown): void {
    const { readiness, metrics, log } = this.#options;
    this.#tellRepairs(repairs);
    if (repairs.length > 0) metrics.installLook('SUCCESS');
    metrics.installed(error === undefined);
    if (error === undefined) {
      this.#blocked?.[Symbol.dispose]();
      this.#blocked = undefined;
      this.#lastFailure = '';
      return;
    }
    metrics.installLook(this.#failedStep);
    this.#blocked ??= readiness.block('installation');
    const text = describeError(error);
    if (text !== this.#lastFailure)
      log.warn('the plugin cannot be installed; it is tried again', { error: text });
    this.#lastFailure = text;
  }
}

function makeInstaller({
  ambient,
  cluster,
  install,
  paths,
}: InstallationOptions['settings']): PluginInstaller {
  return new PluginInstaller({
    configDirectory: paths.configDirectory,
    binaryDirectory: paths.binaryDirectory,
    binarySource: paths.binarySource,
    entry: {
      logLevel: install.pluginLogLevel,
      agentRunDirectory: paths.runDirectory,
      ambientEnabled: ambient.enabled,
      selectors: ambient.selectors,
      excludedNamespaces: ambient.excludedNamespaces,
      agentNamespace: cluster.namespace,
      retryDetection: install.retryDetection,
      nativeNftables: ambient.nativeNftables,
    },
    configName: install.configName,
    ownConfigName: install.ownConfig ? install.ownConfigName : undefined,
  });
}

function apiServerUrl(host: string, port: number): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
