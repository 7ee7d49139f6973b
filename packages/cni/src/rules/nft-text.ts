import type { Family } from './iptables-text.ts';
import type { PodCapture } from './pod-capture.ts';
import type { Action, AddressName, Chain, Match, Rule, Table } from './pod-rules.ts';
import { MARK_MASK, podRules } from './pod-rules.ts';

/** Tables of family `inet`, each wholly ours. */
export const nftTables: Readonly<Record<Table, string>> = {
  mangle: 'istio-ambient-mangle',
  raw: 'istio-ambient-raw',
  nat: 'istio-ambient-nat',
};

const priorities: Readonly<Record<Table, number>> = { mangle: -150, raw: -300, nat: -100 };
const tablesInOrder: readonly Table[] = ['mangle', 'raw', 'nat'];
const chainsInOrder: readonly Chain[] = ['prerouting', 'output'];
const loopback: Readonly<Record<Family, string>> = { v4: '127.0.0.1', v6: '::1' };
const keyword: Readonly<Record<Family, string>> = { v4: 'ip', v6: 'ip6' };

/** A script for `nft -f` that puts a captured pod's tables in place of whatever they are now, in one transaction. */
export function renderNftPodRules(capture: PodCapture): string {
  const rules = podRules(capture);
  const tables = tablesInOrder.flatMap((table) => {
    const ofTable = rules.filter((rule) => rule.table === table);
    if (ofTable.length === 0) return [];
    return [
      `table inet ${nftTables[table]} {`,
      ...chainsInOrder.flatMap((chain) => renderChain(table, chain, ofTable, capture)),
      '}',
    ];
  });
  return `${renderNftRemoval()}${tables.join('\n')}\n`;
}

/** A script that removes the pod's tables, whichever of them exist. */
export function renderNftRemoval(): string {
  // To delete what is not there is an error, to add what is there is not.
  return tablesInOrder
    .map((table) => `add table inet ${nftTables[table]}\ndelete table inet ${nftTables[table]}\n`)
    .join('');
}

function renderChain(table: Table, chain: Chain, rules: readonly Rule[], capture: PodCapture): string[] {
  const ofChain = rules.filter((rule) => rule.chain === chain);
  if (ofChain.length === 0) return [];
  // Only a chain of type route has a packet routed again when its mark has changed.
  const type = table === 'nat' ? 'nat' : table === 'mangle' && chain === 'output' ? 'route' : 'filter';
  return [
    `  chain istio-${chain} {`,
    ...ofChain.flatMap((rule) => renderRule(rule, capture)).map((line) => `    ${line}`),
    '  }',
    `  chain ${chain} {`,
    `    type ${type} hook ${chain} priority ${priorities[table]}; policy accept;`,
    `    jump istio-${chain}`,
    '  }',
  ];
}

function renderRule(rule: Rule, capture: PodCapture): string[] {
  const { match, action } = rule;
  const render = (family: Family, before: readonly string[]): string =>
    [...before, ...renderMatch(match, family, capture), renderAction(action)].join(' ');
  const families: readonly Family[] = capture.ipv6 ? ['v4', 'v6'] : ['v4'];
  if (hasAddress(match)) return families.map((family) => render(family, []));
  return [render('v4', capture.ipv6 ? [] : ['meta nfproto ipv4'])];
}

function hasAddress({ source, destination, notDestination }: Match): boolean {
  return source !== undefined || destination !== undefined || notDestination !== undefined;
}

function renderMatch(match: Match, family: Family, capture: PodCapture): string[] {
  const address = (name: AddressName): string =>
    name === 'loopback' ? loopback[family] : capture.probeAddress[family];
  const parts: string[] = [];
  const { source, destination, notDestination, protocol } = match;
  if (source !== undefined) parts.push(`${keyword[family]} saddr ${address(source)}`);
  if (destination !== undefined) parts.push(`${keyword[family]} daddr ${address(destination)}`);
  if (notDestination !== undefined) parts.push(`${keyword[family]} daddr != ${address(notDestination)}`);
  if (match.inInterface !== undefined) parts.push(`iifname "${match.inInterface}"`);
  if (match.outInterface !== undefined) parts.push(`oifname "${match.outInterface}"`);
  if (match.notOutInterface !== undefined) parts.push(`oifname != "${match.notOutInterface}"`);
  if (protocol !== undefined) parts.push(...renderPorts(match, protocol));
  if (match.mark !== undefined) parts.push(`meta mark & ${hex(MARK_MASK)} == ${hex(match.mark)}`);
  if (match.notMark !== undefined) parts.push(`meta mark & ${hex(MARK_MASK)} != ${hex(match.notMark)}`);
  if (match.connectionMark !== undefined)
    parts.push(`ct mark & ${hex(MARK_MASK)} == ${hex(match.connectionMark)}`);
  return parts;
}

function renderPorts(match: Match, protocol: 'tcp' | 'udp'): string[] {
  const parts: string[] = [];
  if (match.sourcePort !== undefined) parts.push(`${protocol} sport ${match.sourcePort}`);
  if (match.destinationPort !== undefined) parts.push(`${protocol} dport ${match.destinationPort}`);
  if (match.notDestinationPort !== undefined) parts.push(`${protocol} dport != ${match.notDestinationPort}`);
  return parts.length > 0 ? parts : [`meta l4proto ${protocol}`];
}

function renderAction(action: Action): string {
  switch (action.kind) {
    case 'accept':
      return 'accept';
    case 'return':
      return 'return';
    case 'redirect':
      return `redirect to :${action.port}`;
    case 'set-connection-mark':
      return `ct mark set ct mark & ${hex(~MARK_MASK >>> 0)} | ${hex(action.mark)}`;
    case 'restore-mark':
      return 'meta mark set ct mark';
    case 'conntrack-zone':
      return `ct zone set ${action.zone}`;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
