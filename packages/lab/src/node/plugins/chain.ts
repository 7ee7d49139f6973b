import { isRecord } from '@ambient/kube';

import { SandboxError } from '../errors.ts';
import type { NetworkConfigList } from './network-config.ts';
import { isAtLeast, pluginInput } from './network-config.ts';

/** The environment of a plugin (CNI specification 1.1.0, section 2), without the paths. */
export interface Attachment {
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
}

export interface PluginAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a plugin's executable on the node. @throws SandboxError SANDBOX_PLUGIN_MISSING */
export type RunPlugin = (
  type: string,
  environment: Readonly<Record<string, string>>,
  input: string,
) => Promise<PluginAnswer>;

/** What is known of an attachment until it is deleted: the list as it was at ADD, and the result. */
export interface CachedAttachment {
  readonly list: NetworkConfigList;
  readonly result: unknown;
}

/** Runs the plugins of a list as libcni does: ADD in order, each with the result of the one before; DEL in reverse. */
export class CniChain {
  readonly #run: RunPlugin;

  constructor(run: RunPlugin) {
    this.#run = run;
  }

  /** @returns the last plugin's result. @throws SandboxError with the plugin's own words */
  async add(list: NetworkConfigList, attachment: Attachment): Promise<unknown> {
    let result: unknown;
    for (const plugin of list.plugins) {
      const answer = await this.#call('ADD', plugin.type, attachment, pluginInput(list, plugin, result));
      result = parseResult(answer, plugin.type);
    }
    return result;
  }

  /** All plugins are asked, also when one fails. @throws SandboxError of the first failure */
  async delete({ list, result }: CachedAttachment, attachment: Attachment): Promise<void> {
    let failure: unknown;
    const previous = isAtLeast(list.cniVersion, '0.4.0') ? result : undefined;
    for (const plugin of list.plugins.toReversed()) {
      try {
        await this.#call('DEL', plugin.type, attachment, pluginInput(list, plugin, previous));
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure as Error;
  }

  /** Whether the plugins would take an ADD now. @throws SandboxError of the first that would not */
  async status(list: NetworkConfigList): Promise<void> {
    if (!isAtLeast(list.cniVersion, '1.1.0')) return;
    for (const plugin of list.plugins)
      await this.#call('STATUS', plugin.type, undefined, pluginInput(list, plugin, undefined));
  }

  /** Tells the plugins what is still attached, so that they drop the rest. @throws SandboxError of the first failure */
  async collect(list: NetworkConfigList, attached: readonly Attachment[]): Promise<void> {
    if (list.disableGC || !isAtLeast(list.cniVersion, '1.1.0')) return;
    const valid = attached.map(({ containerId, ifname }) => ({ containerID: containerId, ifname }));
    for (const plugin of list.plugins) {
      const config = { ...plugin, 'cni.dev/valid-attachments': valid };
      await this.#call('GC', plugin.type, undefined, pluginInput(list, config, undefined));
    }
  }

  async #call(
    command: string,
    type: string,
    attachment: Attachment | undefined,
    input: string,
  ): Promise<PluginAnswer> {
    const answer = await this.#run(type, pluginEnvironment(command, attachment), input);
    if (answer.exitCode === 0) return answer;
    throw new SandboxError(
      'SANDBOX_PLUGIN',
      `plugin type="${type}" failed (${command.toLowerCase()}): ${told(answer)}`,
    );
  }
}

function pluginEnvironment(command: string, attachment: Attachment | undefined): Record<string, string> {
  if (attachment === undefined) return { CNI_COMMAND: command };
  const args = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: attachment.namespace,
    K8S_POD_NAME: attachment.pod,
    K8S_POD_INFRA_CONTAINER_ID: attachment.containerId,
    K8S_POD_UID: attachment.uid,
  };
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: attachment.containerId,
    CNI_NETNS: attachment.netns,
    CNI_IFNAME: attachment.ifname,
    CNI_ARGS: Object.entries(args)
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  };
}

/** The error that a plugin prints (section 5, "Error"), or whatever it left. */
function told({ exitCode, stdout, stderr }: PluginAnswer): string {
  try {
    const error: unknown = JSON.parse(stdout);
    if (isRecord(error) && typeof error['msg'] === 'string') {
      const details =
        typeof error['details'] === 'string' && error['details'] !== '' ? `; ${error['details']}` : '';
      return `${error['msg']}${details}`;
    }
  } catch {
    // No JSON: then its standard error says more.
  }
  const words = (stderr.trim() || stdout.trim()).slice(-1000);
  return words === '' ? `exit code ${exitCode} without a word` : words;
}

function parseResult({ stdout }: PluginAnswer, type: string): unknown {
  try {
    return JSON.parse(stdout);
  } catch (error) {
    throw new SandboxError('SANDBOX_PLUGIN', `plugin type="${type}" printed no JSON as its result`, {
      cause: error,
    });
  }
}

/**
 * The addresses of a result, those of the primary family first; prefix lengths are dropped.
 *
 * @throws SandboxError SANDBOX_NO_ADDRESS
 */
export function resultAddresses(result: unknown, primary: 4 | 6 = 4): string[] {
  const ips = isRecord(result) && Array.isArray(result['ips']) ? (result['ips'] as unknown[]) : [];
  const addresses = ips.flatMap((ip) =>
    isRecord(ip) && typeof ip['address'] === 'string' ? [ip['address'].split('/')[0] ?? ''] : [],
  );
  if (addresses.length === 0)
    throw new SandboxError(
      'SANDBOX_NO_ADDRESS',
      'the CNI plugins gave the pod no address; the first plugin of the list has to be one that does',
    );
  const isPrimary = (ip: string): boolean => ip.includes(':') === (primary === 6);
  return [...addresses.filter(isPrimary), ...addresses.filter((ip) => !isPrimary(ip))];
}
