import { accessSync, constants, mkdirSync } from 'node:fs';

import { AddressPool } from './address-pool.ts';
import { isRecord, readCall, readConfig, supportedVersions, versionOf } from './call.ts';
import type { Call, PluginConfig } from './call.ts';
import { CniError, cniCodes } from './errors.ts';
import { macsOf, nodeInterfaceOf, renderNodeSide, renderPodSide, resultOf } from './links.ts';
import type { PodLink } from './links.ts';

/** What the plugin needs of the world. */
export interface PluginHost {
  /** One variable of the environment. */
  readonly variable: (name: string) => string | undefined;
  /** All of standard input. */
  readonly readInput: () => string;
  /** Runs a tool in the node's namespace. @throws with what it printed */
  readonly run: (argv: readonly [string, ...string[]], input?: string) => string;
}

export interface PluginOutcome {
  /** For standard output; empty: nothing. */
  readonly output: string;
  readonly exitCode: number;
}

/** One call by a container runtime, CNI 1.1, in the network namespace of the node. */
export function runPlugin(host: PluginHost): PluginOutcome {
  let version = supportedVersions.at(-1)!;
  try {
    const call = readCall(host.variable);
    const input = host.readInput();
    version = versionOf(input);
    if (call.command === 'VERSION') return succeeded({ cniVersion: version, supportedVersions });
    const config = readConfig(input);
    switch (call.command) {
      case 'ADD':
        return succeeded(add(host, call, config));
      case 'DEL':
        remove(host, call, config);
        break;
      case 'CHECK':
        check(host, call, config);
        break;
      case 'GC':
        new AddressPool(config.dataDirectory).keepOnly(new Set(config.validAttachments));
        break;
      case 'STATUS':
        status(config);
        break;
    }
    return { output: '', exitCode: 0 };
  } catch (error) {
    return failed(version, error);
  }
}

function add(host: PluginHost, call: Call, config: PluginConfig): object {
  const { containerId, interfaceName } = call;
  const pool = new AddressPool(config.dataDirectory);
  const owner = ownerOf(call);
  if (pool.of(owner).length > 0)
    throw new CniError(
      cniCodes.invalidEnvironment,
      `container ${containerId} has an interface ${interfaceName} already`,
      'a runtime calls DEL before it calls ADD again',
    );
  const nodeInterface = nodeInterfaceOf(containerId, interfaceName);
  let linked = false;
  try {
    const link: PodLink = {
      interfaceName,
      nodeInterface,
      ...macsOf(containerId, interfaceName),
      mtu: config.mtu,
      netns: call.netns,
      nodeAddresses: config.nodeAddresses,
      addresses: config.ranges.map((range) => ({
        address: pool.take(range, owner),
        gateway: AddressPool.gatewayOf(range),
      })),
    };
    linked = true;
    host.run(['ip', '-batch', '-'], renderNodeSide(link));
    host.run(['nsenter', `--net=${call.netns}`, 'ip', '-batch', '-'], renderPodSide(link));
    return resultOf(config.cniVersion, link);
  } catch (error) {
    // All of it or nothing.
    if (linked) unlink(host, nodeInterface);
    pool.release(owner);
    throw error;
  }
}

/** Succeeds as often as it is called, whatever is left (CNI 1.1, "DEL"). */
function remove(host: PluginHost, call: Call, config: PluginConfig): void {
  unlink(host, nodeInterfaceOf(call.containerId, call.interfaceName));
  new AddressPool(config.dataDirectory).release(ownerOf(call));
}

function unlink(host: PluginHost, nodeInterface: string): void {
  try {
    host.run(['ip', 'link', 'del', nodeInterface]);
  } catch (error) {
    // Gone with the pod's namespace, most often.
    if (!/Cannot find device/.test((error as Error).message)) throw error;
  }
}

function check(host: PluginHost, call: Call, config: PluginConfig): void {
  const expected = new AddressPool(config.dataDirectory).of(ownerOf(call));
  const wanted = config.previousResult === undefined ? expected : addressesIn(config.previousResult);
  const shown = host.run([
    'nsenter',
    `--net=${call.netns}`,
    'ip',
    '-json',
    'addr',
    'show',
    'dev',
    call.interfaceName,
  ]);
  const present = new Set(
    (JSON.parse(shown) as { addr_info?: { local?: string }[] }[]).flatMap(({ addr_info = [] }) =>
      addr_info.map(({ local }) => local),
    ),
  );
  const missing = [
    ...wanted.filter((address) => !present.has(address) || !expected.includes(address)),
    ...(expected.length === 0 ? [`of container ${call.containerId}`] : []),
  ];
  if (missing.length > 0)
    throw new CniError(
      cniCodes.linkMissing,
      `${call.interfaceName} has lost its addresses: ${missing.join(', ')}`,
      'the pod has to be made anew',
    );
  // The route is gone with the link.
  host.run(['ip', 'link', 'show', nodeInterfaceOf(call.containerId, call.interfaceName)]);
}

function addressesIn(result: Record<string, unknown>): string[] {
  const ips: unknown[] = Array.isArray(result['ips']) ? result['ips'] : [];
  return ips.flatMap((entry) =>
    isRecord(entry) && typeof entry['address'] === 'string' ? [entry['address'].split('/')[0]!] : [],
  );
}

function status(config: PluginConfig): void {
  try {
    mkdirSync(config.dataDirectory, { recursive: true });
    accessSync(config.dataDirectory, constants.W_OK);
  } catch (cause) {
    const message = `cannot write to ${config.dataDirectory}`;
    throw new CniError(cniCodes.notAvailable, message, 'let the runtime write there', { cause });
  }
}

function ownerOf({ containerId, interfaceName }: Call): string {
  return `${containerId}/${interfaceName}`;
}

function succeeded(result: object): PluginOutcome {
  return { output: JSON.stringify(result), exitCode: 0 };
}

function failed(cniVersion: string, error: unknown): PluginOutcome {
  const { code, message, details } =
    error instanceof CniError
      ? error
      : { code: cniCodes.ioFailure, message: String(error), details: 'a defect of lab-bridge' };
  return { output: JSON.stringify({ cniVersion, code, msg: message, details }), exitCode: 1 };
}
