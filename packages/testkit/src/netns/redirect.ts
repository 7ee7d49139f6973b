import type { Netns } from './namespace.ts';

/** The mark that a proxy puts on its own sockets (PACKET_MARK, Istio's 0x539). */
export const PROXY_MARK = 1337;
/** Connection mark of what the proxy delivers with the client's own address (Istio's 0x111). */
const SPOOF_MARK = 0x111;
const MARK_MASK = 0xfff;
const SPOOF_TABLE = 100;

export interface OutboundRedirect {
  /** Port of the proxy's outbound listener, usually 15001. */
  readonly toPort: number;
  /** Destinations that are captured; default all but loopback and the namespace's own. */
  readonly cidrs?: readonly string[];
  /** Only these destination ports are captured; default all. */
  readonly ports?: readonly number[];
  /** Only programs of these users are captured; default all users. */
  readonly onlyUids?: readonly number[];
}

export interface RedirectOptions {
  readonly outbound?: readonly OutboundRedirect[];
  /**
   * Peers that are never captured, in either direction: what the proxy itself calls without its mark, as its control plane.
   * Connections to it may be older than the rules, and the kernel takes for new whatever it sees first of such a one.
   */
  readonly excludedCidrs?: readonly string[];
  /** Port of the proxy's inbound plaintext listener, usually 15006; absent: plaintext goes to the application. */
  readonly inboundPort?: number;
  /** HBONE ports, never captured either way. */
  readonly tunnelPorts?: readonly number[];
  /** Users whose traffic is the proxy's own. The mark 1337 is always taken as the proxy's. */
  readonly proxyUids?: readonly number[];
  /** Lets the proxy reach its application from the client's address: replies come back to the proxy. */
  readonly originalSource?: boolean;
}

/**
 * The nftables ruleset that steers a namespace's TCP through its proxy, for IPv4 and IPv6 alike: what Istio's agent
 * installs in a pod, with capture limited to what a test names. Pure, so that rules can be read and tested as text.
 */
export function renderRedirect(options: RedirectOptions): string {
  const isProxy = `meta mark & ${hex(MARK_MASK)} == ${hex(PROXY_MARK)}`;
  const tunnelPorts = set(options.tunnelPorts ?? [15_008]);
  const proxyUids = options.proxyUids ?? [];
  const lines = [
    'table inet ambient_lab {',
    '  chain output {',
    '    type nat hook output priority -100; policy accept;',
    '    meta l4proto != tcp accept',
    `    ${isProxy} accept`,
    ...(proxyUids.length > 0 ? [`    meta skuid ${set(proxyUids)} accept`] : []),
    `    tcp dport ${tunnelPorts} accept`,
    // The namespace talking to itself, by loopback or by its own address, does not leave the pod.
    '    oifname "lo" accept',
    ...byFamily('daddr', options.excludedCidrs ?? []).map((peers) => `    ${peers} accept`),
    ...(options.outbound ?? []).flatMap(outboundRules),
    '  }',
  ];
  if (options.inboundPort !== undefined)
    lines.push(
      '  chain prerouting {',
      '    type nat hook prerouting priority dstnat; policy accept;',
      '    meta l4proto != tcp accept',
      `    ${isProxy} accept`,
      `    tcp dport ${tunnelPorts} accept`,
      '    iifname "lo" accept',
      ...byFamily('saddr', options.excludedCidrs ?? []).map((peers) => `    ${peers} accept`),
      `    meta l4proto tcp redirect to :${options.inboundPort}`,
      '  }',
    );
  if (options.originalSource === true)
    lines.push(
      '  chain mark_spoofed {',
      '    type filter hook prerouting priority mangle; policy accept;',
      `    ${isProxy} ct mark set ${hex(SPOOF_MARK)}`,
      '  }',
      '  chain restore_spoofed {',
      '    type route hook output priority mangle; policy accept;',
      `    ct mark & ${hex(MARK_MASK)} == ${hex(SPOOF_MARK)} meta mark set ct mark`,
      '  }',
    );
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

/** Replaces the namespace's capture rules. */
export async function applyRedirect(netns: Netns, options: RedirectOptions): Promise<void> {
  // "add" before "delete" makes the replacement work the first time too, and the whole file is one transaction.
  const script = `add table inet ambient_lab\ndelete table inet ambient_lab\n${renderRedirect(options)}`;
  await netns.must(['nft', '-f', '-'], { input: script });
  if (options.originalSource !== true) return;
  for (const family of ['-4', '-6']) {
    const rule = `rule add fwmark ${hex(SPOOF_MARK)}/${hex(MARK_MASK)} pref 32764 lookup ${SPOOF_TABLE}`;
    const route = `route replace local ${family === '-4' ? '0.0.0.0/0' : '::/0'} dev lo table ${SPOOF_TABLE}`;
    await netns.run(['ip', family, ...rule.replace('add', 'del').split(' ')], { name: 'ip' });
    await netns.must(['ip', family, '-batch', '-'], { input: `${rule}\n${route}\n`, name: 'ip' });
  }
}

/** Removes the namespace's capture rules. */
export async function clearRedirect(netns: Netns): Promise<void> {
  await netns.must(['nft', '-f', '-'], {
    input: 'add table inet ambient_lab\ndelete table inet ambient_lab\n',
  });
}

function outboundRules(rule: OutboundRedirect): string[] {
  const user = rule.onlyUids === undefined ? '' : `meta skuid ${set(rule.onlyUids)} `;
  const ports = rule.ports === undefined ? '' : `tcp dport ${set(rule.ports)} `;
  const target = `redirect to :${rule.toPort}`;
  if (rule.cidrs === undefined) return [`    ${user}meta l4proto tcp ${ports}${target}`];
  return byFamily('daddr', rule.cidrs).map(
    (destinations) => `    ${user}${destinations} meta l4proto tcp ${ports}${target}`,
  );
}

/** One match for the IPv4 addresses and one for those of IPv6, where there are any. */
function byFamily(end: 'saddr' | 'daddr', cidrs: readonly string[]): string[] {
  const v4 = cidrs.filter((cidr) => !cidr.includes(':'));
  const v6 = cidrs.filter((cidr) => cidr.includes(':'));
  return [
    ...(v4.length > 0 ? [`ip ${end} ${set(v4)}`] : []),
    ...(v6.length > 0 ? [`ip6 ${end} ${set(v6)}`] : []),
  ];
}

function set(values: readonly (string | number)[]): string {
  return `{ ${values.join(', ')} }`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
