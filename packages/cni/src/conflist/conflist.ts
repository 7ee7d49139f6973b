import type { PluginEntry } from '../plugin/config.ts';
import { ConflistError } from './errors.ts';

/** Type of our entry, and name of the binary. */
export const PLUGIN_TYPE = 'istio-cni';
/** A single plugin's configuration becomes a list of this name and version, as Istio's installer makes it. */
const LIST_NAME = 'k8s-pod-network';
const LIST_VERSION = '0.3.1';

/** Our entry of a list: what the plugin is told at each call. */
export interface PluginEntrySettings extends PluginEntry {
  readonly nativeNftables: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** A file of the configuration directory. */
export interface ConfigFile {
  readonly name: string;
  readonly text: string;
}

/** The entry as it stands in the list (facts §8). */
export function renderPluginEntry(settings: PluginEntrySettings): Json {
  return {
    type: PLUGIN_TYPE,
    name: PLUGIN_TYPE,
    plugin_log_level: settings.logLevel,
    cni_agent_run_dir: settings.agentRunDirectory,
    ambient_enabled: settings.ambientEnabled,
    enablement_selectors: settings.selectors,
    exclude_namespaces: settings.excludedNamespaces,
    pod_namespace: settings.agentNamespace,
    native_nftables: settings.nativeNftables,
    enable_ambient_detection_retry: settings.retryDetection,
    // Not of Istio, whose plugin passes over it: this agent's answer to the plugin is the decision about a pod.
    agent_decides: true,
  };
}

/** Names that a container runtime reads, in the order in which it does: the first valid one is the node's network. */
export function configNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => /\.(conf|conflist|json)$/.test(name)).sort();
}

/** Whether a runtime would take it: a list with plugins, or a single plugin. */
export function isValidConfig(file: ConfigFile): boolean {
  try {
    readPlugins(file);
    return true;
  } catch (error) {
    if (error instanceof ConflistError) return false;
    throw error;
  }
}

/**
 * The configuration with our entry last, as it would be written; all else in it stays.
 * @throws ConflistError ERR_CONFLIST_INVALID
 */
export function withPlugin(file: ConfigFile, entry: Json): string {
  const { list, plugins } = readPlugins(file);
  const others = plugins.filter((plugin) => plugin['type'] !== PLUGIN_TYPE);
  if (others.length === 0)
    throw new ConflistError(
      'ERR_CONFLIST_INVALID',
      `${file.name} has no plugin but ours: nobody would give pods a network`,
    );
  return render({ ...list, plugins: [...others, entry] });
}

/**
 * The configuration without our entry; `nothing-left` when it has no other, undefined when ours is not in there.
 * @throws ConflistError ERR_CONFLIST_INVALID
 */
export function withoutPlugin(file: ConfigFile): { readonly text: string } | 'nothing-left' | undefined {
  const { list, plugins } = readPlugins(file);
  const others = plugins.filter((plugin) => plugin['type'] !== PLUGIN_TYPE);
  if (others.length === plugins.length) return undefined;
  return others.length === 0 ? 'nothing-left' : { text: render({ ...list, plugins: others }) };
}

/** What is wrong with our entry in a configuration; undefined: nothing. */
export type EntryProblem = 'not-valid' | 'missing' | 'not-last' | 'changed';

export function entryProblem(file: ConfigFile, entry: Json): EntryProblem | undefined {
  if (!isValidConfig(file) || !file.name.endsWith('.conflist')) return 'not-valid';
  const { plugins } = readPlugins(file);
  const ours = plugins.filter((plugin) => plugin['type'] === PLUGIN_TYPE);
  if (ours.length === 0) return 'missing';
  if (ours.length > 1 || plugins.at(-1) !== ours[0]) return 'not-last';
  return canonical(ours[0]) === canonical(entry) ? undefined : 'changed';
}

/** The same value has the same text, whatever the order of its keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}

function readPlugins(file: ConfigFile): { readonly list: Json; readonly plugins: readonly Json[] } {
  const invalid = (problem: string, cause?: unknown): ConflistError =>
    new ConflistError('ERR_CONFLIST_INVALID', `${file.name} ${problem}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(file.text);
  } catch (cause) {
    throw invalid('is no JSON; it may be being written', cause);
  }
  if (!isObject(value)) throw invalid('is no object');
  if (value['plugins'] === undefined && typeof value['type'] === 'string') {
    const { cniVersion: _, ...plugin } = value; // the list has the one that counts
    return { list: { name: LIST_NAME, cniVersion: LIST_VERSION }, plugins: [plugin] };
  }
  const { plugins } = value;
  if (!Array.isArray(plugins) || plugins.length === 0) throw invalid('has no plugins');
  for (const [index, plugin] of plugins.entries())
    if (!isObject(plugin) || typeof plugin['type'] !== 'string')
      throw invalid(`has no type in plugins[${index}]`);
  return { list: value, plugins: plugins as Json[] };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function render(list: Json): string {
  return `${JSON.stringify(list, undefined, 2)}\n`;
}
