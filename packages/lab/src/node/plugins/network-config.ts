// Network configuration lists as libcni reads them (CNI specification 1.1.0, section 1). Pure.
import { isRecord } from '@ambient/kube';

import { SandboxError } from '../errors.ts';

export interface PluginConfig {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface NetworkConfigList {
  readonly name: string;
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  readonly plugins: readonly PluginConfig[];
}

/** Of the files in the folder of configurations, the one that counts; undefined if there is none. */
export function chooseConfigFile(names: readonly string[]): string | undefined {
  return names.filter((name) => /\.(conflist|conf|json)$/.test(name)).sort()[0];
}

/**
 * Reads a `.conflist`, or a `.conf` as a list of one.
 *
 * @param file for messages
 * @throws SandboxError SANDBOX_NO_NETWORK_CONFIG naming the field that does not fit
 */
export function parseConfigList(text: string, file: string): NetworkConfigList {
  const wrong = (what: string, cause?: unknown): SandboxError =>
    new SandboxError('SANDBOX_NO_NETWORK_CONFIG', `CNI configuration ${file}: ${what}`, { cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw wrong('no JSON', error);
  }
  if (!isRecord(parsed)) throw wrong('no JSON object');
  const { name, plugins = [parsed], cniVersion = '0.1.0' } = parsed;
  if (typeof name !== 'string' || name === '') throw wrong('name is missing');
  if (typeof cniVersion !== 'string') throw wrong('cniVersion is no text');
  if (!Array.isArray(plugins) || plugins.length === 0) throw wrong('plugins is no list with entries');
  for (const [index, plugin] of plugins.entries())
    if (!isRecord(plugin) || typeof plugin['type'] !== 'string' || !/^[\w.-]+$/.test(plugin['type']))
      throw wrong(`plugins[${index}].type is no name of a plugin`);
  return {
    name,
    cniVersion,
    disableCheck: parsed['disableCheck'] === true,
    disableGC: parsed['disableGC'] === true,
    plugins: plugins as PluginConfig[],
  };
}

/** Whether a version of the specification is at least another: `1.1.0` knows GC and STATUS, `0.4.0` CHECK. */
export function isAtLeast(version: string, than: string): boolean {
  const parts = (text: string): number[] => text.split('.').map(Number);
  const [a, b] = [parts(version), parts(than)];
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** What one plugin reads on its standard input (section 3, "Deriving runtime configuration"). */
export function pluginInput(
  list: NetworkConfigList,
  plugin: PluginConfig,
  previous: unknown,
  runtime: Readonly<Record<string, unknown>> = {},
): string {
  const { capabilities, ...config } = plugin;
  const wanted = isRecord(capabilities)
    ? Object.entries(runtime).filter(([capability]) => capabilities[capability] === true)
    : [];
  return JSON.stringify({
    ...config,
    ...(wanted.length === 0 ? {} : { runtimeConfig: Object.fromEntries(wanted) }),
    cniVersion: list.cniVersion,
    name: list.name,
    ...(previous === undefined ? {} : { prevResult: previous }),
  });
}
