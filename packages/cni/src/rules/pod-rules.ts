import type { PodCapture } from './pod-capture.ts';

/** Ports of ztunnel inside a pod's network namespace. */
export const ztunnelPorts = { outbound: 15001, inboundPlaintext: 15006, hbone: 15008, dns: 15053 } as const;

/** On packets that ztunnel sends itself (PACKET_MARK). */
export const PROXY_MARK = 0x539;
/** On connections that ztunnel opens to the application from the client's address: replies come back to ztunnel. */
export const SPOOFED_MARK = 0x111;
export const MARK_MASK = 0xfff;
/** Routing table by which those replies stay inside the pod, and the place of the rule that leads there. */
export const SPOOFED_TABLE = 100;
export const SPOOFED_RULE_PRIORITY = 32764;
const DNS_CONNTRACK_ZONE = 1;

export type Table = 'mangle' | 'raw' | 'nat';
export type Chain = 'prerouting' | 'output';

/** An address whose value depends on the family. */
export type AddressName = 'loopback' | 'probe';

/** All of these hold. Ports are of the named protocol. */
export interface Match {
  readonly source?: AddressName;
  readonly destination?: AddressName;
  readonly notDestination?: AddressName;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly notOutInterface?: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly notDestinationPort?: number;
  /** Packet mark, under MARK_MASK. */
  readonly mark?: number;
  readonly notMark?: number;
  readonly connectionMark?: number;
}

export type Action =
  | { readonly kind: 'accept' }
  | { readonly kind: 'return' }
  | { readonly kind: 'redirect'; readonly port: number }
  | { readonly kind: 'set-connection-mark'; readonly mark: number }
  | { readonly kind: 'restore-mark' }
  | { readonly kind: 'conntrack-zone'; readonly zone: number };

export interface Rule {
  readonly table: Table;
  readonly chain: Chain;
  readonly match: Match;
  readonly action: Action;
}

const ACCEPT: Action = { kind: 'accept' };

/**
 * The rules of a captured pod, in order, for iptables and nftables alike (facts §8). They let ztunnel's own packets pass
 * by the mark that it puts on them, and the node's probes by their address.
 */
export function podRules(capture: PodCapture): readonly Rule[] {
  const rules = [
    ...markRules(),
    ...(capture.dns ? dnsZoneRules() : []),
    ...inboundRules(capture),
    ...outboundRules(capture),
  ];
  // What is left has both tables of translation exist, and connection tracking be in use.
  return capture.draining === true ? rules.filter(({ action }) => action.kind !== 'redirect') : rules;
}

function markRules(): Rule[] {
  return [
    {
      table: 'mangle',
      chain: 'prerouting',
      match: { mark: PROXY_MARK },
      action: { kind: 'set-connection-mark', mark: SPOOFED_MARK },
    },
    {
      table: 'mangle',
      chain: 'output',
      match: { connectionMark: SPOOFED_MARK },
      action: { kind: 'restore-mark' },
    },
  ];
}

/** ztunnel's queries have the client's source port: in one zone they would collide with the query that they answer. */
function dnsZoneRules(): Rule[] {
  const action: Action = { kind: 'conntrack-zone', zone: DNS_CONNTRACK_ZONE };
  return [
    {
      table: 'raw',
      chain: 'prerouting',
      match: { protocol: 'udp', sourcePort: 53, notMark: PROXY_MARK },
      action,
    },
    {
      table: 'raw',
      chain: 'output',
      match: { protocol: 'udp', destinationPort: 53, mark: PROXY_MARK },
      action,
    },
  ];
}

function inboundRules({ inbound, virtualInterfaces }: PodCapture): Rule[] {
  const rules: Rule[] = [];
  const add = (match: Match, action: Action): void => {
    rules.push({ table: 'nat', chain: 'prerouting', match, action });
  };
  for (const inInterface of virtualInterfaces) {
    add({ inInterface, protocol: 'tcp' }, { kind: 'redirect', port: ztunnelPorts.outbound });
    add({ inInterface, protocol: 'tcp' }, { kind: 'return' });
  }
  if (!inbound) return rules;
  add({ source: 'probe', protocol: 'tcp' }, ACCEPT);
  add(
    {
      notDestination: 'loopback',
      protocol: 'tcp',
      notDestinationPort: ztunnelPorts.hbone,
      notMark: PROXY_MARK,
    },
    { kind: 'redirect', port: ztunnelPorts.inboundPlaintext },
  );
  return rules;
}

function outboundRules({ dns }: PodCapture): Rule[] {
  const rules: Rule[] = [];
  const add = (match: Match, action: Action): void => {
    rules.push({ table: 'nat', chain: 'output', match, action });
  };
  const toDns: Action = { kind: 'redirect', port: ztunnelPorts.dns };
  add({ destination: 'probe', protocol: 'tcp' }, ACCEPT);
  if (dns) {
    add({ notOutInterface: 'lo', protocol: 'udp', destinationPort: 53, notMark: PROXY_MARK }, toDns);
    add({ notDestination: 'loopback', protocol: 'tcp', destinationPort: 53, notMark: PROXY_MARK }, toDns);
  }
  add({ protocol: 'tcp', mark: SPOOFED_MARK }, ACCEPT);
  add({ notDestination: 'loopback', outInterface: 'lo' }, ACCEPT);
  add(
    { notDestination: 'loopback', protocol: 'tcp', notMark: PROXY_MARK },
    { kind: 'redirect', port: ztunnelPorts.outbound },
  );
  return rules;
}
