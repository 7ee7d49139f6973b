import { parsePrefix } from '../addresses.ts';
import type { Prefix } from '../addresses.ts';
import { CniError, cniCodes } from './errors.ts';

export const supportedVersions: readonly string[] = ['1.0.0', '1.1.0'];

const commands = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'] as const;
export type Command = (typeof commands)[number];

/** What a runtime says of the call in its environment (CNI 1.1, "Parameters"). */
export interface Call {
  readonly command: Command;
  readonly containerId: string;
  /** Empty in a DEL whose namespace is gone. */
  readonly netns: string;
  readonly interfaceName: string;
}

/** The plugin's entry of the conflist. */
export interface PluginConfig {
  readonly cniVersion: string;
  readonly mtu: number;
  /** The node's own addresses, which its probes come from. */
  readonly nodeAddresses: readonly string[];
  /** What pods get their addresses from, one for each family. */
  readonly ranges: readonly Prefix[];
  readonly dataDirectory: string;
  readonly previousResult: Record<string, unknown> | undefined;
  /** GC: who is still there, as `CONTAINER/INTERFACE`. */
  readonly validAttachments: readonly string[];
}

const needed: Readonly<Record<Command, readonly string[]>> = {
  ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME'],
  CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
  GC: [],
  STATUS: [],
  VERSION: [],
};

/** @throws CniError 4 naming the variables */
export function readCall(variable: (name: string) => string | undefined): Call {
  const command = commands.find((name) => name === variable('CNI_COMMAND'));
  if (command === undefined)
    throw invalidEnvironment(
      `CNI_COMMAND must be one of ${commands.join(', ')}: this program is started by a runtime`,
    );
  const missing = needed[command].filter((name) => (variable(name) ?? '') === '');
  if (missing.length > 0) throw invalidEnvironment(`${missing.join(', ')} must be set`);
  const call = {
    command,
    containerId: variable('CNI_CONTAINERID') ?? '',
    netns: variable('CNI_NETNS') ?? '',
    interfaceName: variable('CNI_IFNAME') ?? '',
  };
  // Both become names of files and arguments of tools.
  if (!/^([A-Za-z0-9][A-Za-z0-9_.-]{0,127})?$/.test(call.containerId))
    throw invalidEnvironment(`CNI_CONTAINERID ${JSON.stringify(call.containerId)} is no identifier`);
  if (!/^([A-Za-z0-9][A-Za-z0-9_.-]{0,14})?$/.test(call.interfaceName))
    throw invalidEnvironment(`CNI_IFNAME ${JSON.stringify(call.interfaceName)} is no name of an interface`);
  if (call.netns !== '' && !/^\/[^\s]*$/.test(call.netns))
    throw invalidEnvironment(`CNI_NETNS ${JSON.stringify(call.netns)} is no absolute path`);
  return call;
}

/** The version to answer in, as far as it can be read. */
export function versionOf(input: string): string {
  try {
    const { cniVersion } = JSON.parse(input) as { cniVersion?: unknown };
    if (typeof cniVersion === 'string' && supportedVersions.includes(cniVersion)) return cniVersion;
  } catch {
    // The error that is answered says so.
  }
  return supportedVersions.at(-1)!;
}

/** @throws CniError 1, 6, 7 naming the field */
export function readConfig(input: string): PluginConfig {
  let config: unknown;
  try {
    config = JSON.parse(input);
  } catch (cause) {
    throw new CniError(cniCodes.undecodable, 'the network configuration is no JSON', 'see the conflist', {
      cause,
    });
  }
  if (!isRecord(config))
    throw new CniError(cniCodes.undecodable, 'the network configuration is no object', 'see the conflist');
  const { cniVersion, mtu = 1500, nodeAddresses = [], ipam } = config;
  if (typeof cniVersion !== 'string' || !supportedVersions.includes(cniVersion))
    throw new CniError(
      cniCodes.incompatibleVersion,
      `CNI version ${JSON.stringify(cniVersion)} is not supported`,
      `supported are ${supportedVersions.join(', ')}: change cniVersion of the conflist`,
    );
  if (!Number.isInteger(mtu)) throw invalid('mtu must be a number of bytes');
  if (!isTexts(nodeAddresses)) throw invalid('nodeAddresses must be a list of text');
  if (!isRecord(ipam) || ipam['type'] !== 'host-local') throw invalid('ipam.type must be host-local');
  const { ranges, dataDir } = ipam;
  if (typeof dataDir !== 'string' || !dataDir.startsWith('/'))
    throw invalid('ipam.dataDir must be an absolute path');
  const previous = config['prevResult'];
  return {
    cniVersion,
    mtu: mtu as number,
    nodeAddresses,
    ranges: readRanges(ranges),
    dataDirectory: dataDir,
    previousResult: isRecord(previous) ? previous : undefined,
    validAttachments: readAttachments(config['cni.dev/valid-attachments']),
  };
}

function readRanges(value: unknown): Prefix[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 2)
    throw invalid('ipam.ranges must be a list of one or two sets of ranges');
  return value.map((set: unknown, index) => {
    const path = `ipam.ranges[${index}]`;
    const range: unknown = Array.isArray(set) && set.length === 1 ? set[0] : undefined;
    if (!isRecord(range) || typeof range['subnet'] !== 'string')
      throw invalid(`${path} must hold one range with a subnet`);
    try {
      return parsePrefix(range['subnet']);
    } catch (cause) {
      throw invalid(`${path}[0].subnet: ${(cause as Error).message}`, cause);
    }
  });
}

function readAttachments(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalid('cni.dev/valid-attachments must be a list');
  return value.map((entry: unknown, index) => {
    if (!isRecord(entry) || typeof entry['containerID'] !== 'string' || typeof entry['ifname'] !== 'string')
      throw invalid(`cni.dev/valid-attachments[${index}] must have containerID and ifname`);
    return `${entry['containerID']}/${entry['ifname']}`;
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function invalid(problem: string, cause?: unknown): CniError {
  return new CniError(cniCodes.invalidConfig, problem, "correct the plugin's entry of the conflist", {
    cause,
  });
}

function invalidEnvironment(problem: string): CniError {
  return new CniError(cniCodes.invalidEnvironment, problem, 'see the container runtime');
}
