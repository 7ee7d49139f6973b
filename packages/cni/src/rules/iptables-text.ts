import type { PodCapture } from './pod-capture.ts';
import type { Action, AddressName, Chain, Match, Rule, Table } from './pod-rules.ts';
import { MARK_MASK, podRules } from './pod-rules.ts';

export type Family = 'v4' | 'v6';

/** Rules of one table: chains of ours, and the lines by which the kernel's own chains lead to them. */
export interface IptablesTable {
  readonly table: string;
  readonly chains: readonly string[];
  /** Without the leading `-A CHAIN`; a jump is appended, or goes before all others. */
  readonly jumps: readonly { readonly from: string; readonly to: string; readonly first: boolean }[];
  readonly rules: readonly string[];
}

const chainNames: Readonly<Record<Chain, { readonly builtIn: string; readonly own: string }>> = {
  prerouting: { builtIn: 'PREROUTING', own: 'ISTIO_PRERT' },
  output: { builtIn: 'OUTPUT', own: 'ISTIO_OUTPUT' },
};
const tablesInOrder: readonly Table[] = ['mangle', 'raw', 'nat'];
const loopback: Readonly<Record<Family, string>> = { v4: '127.0.0.1/32', v6: '::1/128' };

/** A captured pod's tables of one family. What redirects comes last, when all that it relies on is in place. */
export function iptablesPodTables(capture: PodCapture, family: Family): readonly IptablesTable[] {
  const rules = podRules(capture);
  const address = (name: AddressName): string =>
    name === 'loopback' ? loopback[family] : capture.probeAddress[family];
  return tablesInOrder.flatMap((table) => {
    const ofTable = rules.filter((rule) => rule.table === table);
    const used = [...new Set(ofTable.map(({ chain }) => chainNames[chain]))];
    if (used.length === 0) return [];
    return {
      table,
      chains: used.map(({ own }) => own),
      jumps: used.map(({ builtIn, own }) => ({ from: builtIn, to: own, first: false })),
      rules: ofTable.map((rule) => renderRule(rule, address)),
    };
  });
}

function renderRule({ chain, match, action }: Rule, address: (name: AddressName) => string): string {
  return [`-A ${chainNames[chain].own}`, ...renderMatch(match, address), renderAction(action)].join(' ');
}

function renderMatch(match: Match, address: (name: AddressName) => string): string[] {
  const parts: string[] = [];
  const { source, destination, notDestination, protocol } = match;
  if (source !== undefined) parts.push(`-s ${address(source)}`);
  if (destination !== undefined) parts.push(`-d ${address(destination)}`);
  if (notDestination !== undefined) parts.push(`! -d ${address(notDestination)}`);
  if (match.inInterface !== undefined) parts.push(`-i ${match.inInterface}`);
  if (match.outInterface !== undefined) parts.push(`-o ${match.outInterface}`);
  if (match.notOutInterface !== undefined) parts.push(`! -o ${match.notOutInterface}`);
  if (protocol !== undefined) parts.push(`-p ${protocol}`);
  const ports = [
    ...(match.sourcePort === undefined ? [] : [`--sport ${match.sourcePort}`]),
    ...(match.destinationPort === undefined ? [] : [`--dport ${match.destinationPort}`]),
    ...(match.notDestinationPort === undefined ? [] : [`! --dport ${match.notDestinationPort}`]),
  ];
  if (protocol !== undefined && ports.length > 0) parts.push(`-m ${protocol}`, ...ports);
  if (match.mark !== undefined) parts.push(`-m mark --mark ${masked(match.mark)}`);
  if (match.notMark !== undefined) parts.push(`-m mark ! --mark ${masked(match.notMark)}`);
  if (match.connectionMark !== undefined) parts.push(`-m connmark --mark ${masked(match.connectionMark)}`);
  return parts;
}

function renderAction(action: Action): string {
  switch (action.kind) {
    case 'accept':
      return '-j ACCEPT';
    case 'return':
      return '-j RETURN';
    case 'redirect':
      return `-j REDIRECT --to-ports ${action.port}`;
    case 'set-connection-mark':
      return `-j CONNMARK --set-xmark ${masked(action.mark)}`;
    case 'restore-mark':
      return '-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff';
    case 'conntrack-zone':
      return `-j CT --zone ${action.zone}`;
  }
}

function masked(mark: number): string {
  return `0x${mark.toString(16)}/0x${MARK_MASK.toString(16)}`;
}
