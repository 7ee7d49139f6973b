import type { EnablementSelector } from '../eligibility.ts';
import { readSelectors, SelectorError } from '../eligibility.ts';
import { CniError, cniCodes } from './errors.ts';

/** Versions of the specification that this plugin speaks; chains came with 0.3.0. */
export const supportedVersions: readonly string[] = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

/** What an interface of the pod has got from the plugins before, as the specification's result has it. */
export interface ResultAddress {
  readonly address: string;
  readonly gateway?: string;
  readonly interface?: number;
}

export interface PreviousResult {
  readonly ips?: readonly ResultAddress[];
}

/** What the plugin's entry of the conflist tells it: the installer writes these, the plugin reads them. */
export interface PluginEntry {
  readonly logLevel: string;
  /** Directory of the agent's sockets and of the kubeconfig. */
  readonly agentRunDirectory: string;
  readonly ambientEnabled: boolean;
  readonly selectors: readonly EnablementSelector[];
  readonly excludedNamespaces: readonly string[];
  /** Where the agent itself runs. */
  readonly agentNamespace: string;
  /** Keep asking the Kubernetes API for half a minute, not for a second. */
  readonly retryDetection: boolean;
}

/** The plugin's entry of the conflist, as the runtime passes it on standard input. */
export interface PluginConfig extends PluginEntry {
  readonly cniVersion: string;
  /**
   * `/cmdadd` of the agent decides itself whether a pod belongs to the mesh. Ours does; Istio's refuses what does not, so that
   * the plugin has to know before.
   */
  readonly agentDecides: boolean;
  /** Result of the plugin before, handed on as it is. */
  readonly prevResult: PreviousResult | undefined;
}

/** The network's version, as far as it can be read: an error is told in it. */
export function versionOf(input: string): string {
  try {
    const { cniVersion } = JSON.parse(input) as { cniVersion?: unknown };
    return typeof cniVersion === 'string' && supportedVersions.includes(cniVersion)
      ? cniVersion
      : supportedVersions.at(-1)!;
  } catch {
    return supportedVersions.at(-1)!;
  }
}

/** @throws CniError 1, 6, 7 naming the field */
export function parseConfig(input: string): PluginConfig {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (cause) {
    throw new CniError(cniCodes.undecodable, 'the network configuration is no JSON', 'see the conflist', {
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CniError(cniCodes.undecodable, 'the network configuration is no object', 'see the conflist');
  const config = value as Record<string, unknown>;
  const cniVersion = field(config, 'cniVersion', 'string', '0.1.0');
  if (!supportedVersions.includes(cniVersion))
    throw new CniError(
      cniCodes.incompatibleVersion,
      `CNI version ${cniVersion} is not supported`,
      `supported are ${supportedVersions.join(', ')}: change cniVersion of the conflist`,
    );
  return {
    cniVersion,
    prevResult: readPreviousResult(config['prevResult']),
    logLevel: field(config, 'plugin_log_level', 'string', 'warn'),
    agentRunDirectory: field(config, 'cni_agent_run_dir', 'string', '/var/run/istio-cni'),
    ambientEnabled: field(config, 'ambient_enabled', 'boolean', false),
    selectors: selectorsOf(config['enablement_selectors']),
    excludedNamespaces: stringsOf(config, 'exclude_namespaces'),
    agentNamespace: field(config, 'pod_namespace', 'string', ''),
    retryDetection: field(config, 'enable_ambient_detection_retry', 'boolean', false),
    agentDecides: field(config, 'agent_decides', 'boolean', false),
  };
}

interface Types {
  readonly string: string;
  readonly boolean: boolean;
}

function field<T extends keyof Types>(
  config: Record<string, unknown>,
  name: string,
  type: T,
  fallback: Types[T],
): Types[T] {
  const value = config[name];
  if (value === undefined || value === null || value === '') return fallback;
  if (typeof value === type) return value as Types[T];
  throw invalid(`${name} must be a ${type}`);
}

function stringsOf(config: Record<string, unknown>, name: string): readonly string[] {
  const value = config[name] ?? [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw invalid(`${name} must be a list of text`);
}

function selectorsOf(value: unknown): readonly EnablementSelector[] {
  try {
    return readSelectors(value, 'enablement_selectors');
  } catch (error) {
    if (error instanceof SelectorError) throw invalid(error.message);
    throw error;
  }
}

function readPreviousResult(value: unknown): PreviousResult | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('prevResult must be an object');
  const { ips } = value as { ips?: unknown };
  if (ips === undefined || ips === null) return value;
  if (!Array.isArray(ips)) throw invalid('prevResult.ips must be a list');
  for (const [index, entry] of ips.entries()) {
    const { address } = (entry ?? {}) as { address?: unknown };
    if (typeof address !== 'string') throw invalid(`prevResult.ips[${index}].address must be text`);
  }
  return value;
}

function invalid(problem: string): CniError {
  return new CniError(cniCodes.invalidConfig, problem, "correct the plugin's entry of the conflist");
}
