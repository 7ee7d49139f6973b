import type { Family, IptablesTable } from './iptables-text.ts';
import type { ProbeAddress } from './pod-capture.ts';
import { ztunnelPorts } from './pod-rules.ts';

/** Addresses of the node's captured pods. */
export const probeSets: Readonly<Record<Family, string>> = {
  v4: 'istio-inpod-probes-v4',
  v6: 'istio-inpod-probes-v6',
};
const HOST_CHAIN = 'ISTIO_POSTRT';
const HOST_NFT_TABLE = 'istio-ambient-nat';
const HOST_NFT_CHAIN = 'postrouting';

/**
 * What the agent's own calls of captured pods seem to come from, by which it makes sure that they are captured: not the address
 * of probes, which passes by ztunnel. ztunnel knows it (its worker/capture-proof.ts), and nobody has it.
 */
export const proofAddress: ProbeAddress = {
  v4: '169.254.7.126',
  v6: 'fd16:9254:7127:1337:ffff:ffff:ffff:fffe',
};
/** Port of a pod that the agent calls, where nothing listens: the call must end in ztunnel. */
export const PROOF_PORT = 15007;
const provenPorts = [PROOF_PORT, ztunnelPorts.hbone] as const;

/** A pod's address, and whose it is. */
export interface ProbedAddress {
  readonly ip: string;
  /** Pod UID, kept as the entry's comment: whoever lists the set sees what it is there for. */
  readonly uid: string;
}

export function familyOf(ip: string): Family {
  return ip.includes(':') ? 'v6' : 'v4';
}

/**
 * The rule by which what the node's own processes send to captured pods, the kubelet's probes, comes from an address that
 * the pods let pass. It goes before all others of its chain: those of a network plugin would end the evaluation.
 */
export function hostTables(probeAddress: ProbeAddress, family: Family): readonly IptablesTable[] {
  const match = `-m owner --socket-exists -p tcp -m set --match-set ${probeSets[family]} dst`;
  const proofs = provenPorts.map(
    (port) => `-A ${HOST_CHAIN} ${match} -m tcp --dport ${port} -j SNAT --to-source ${proofAddress[family]}`,
  );
  return [
    {
      table: 'nat',
      chains: [HOST_CHAIN],
      jumps: [{ from: 'POSTROUTING', to: HOST_CHAIN, first: true }],
      rules: [...proofs, `-A ${HOST_CHAIN} ${match} -j SNAT --to-source ${probeAddress[family]}`],
    },
  ];
}

/** Input for `ipset -exist restore`: the set, empty if it is new. */
export function renderSetCreation(family: Family): string {
  return `create ${probeSets[family]} hash:ip family ${family === 'v4' ? 'inet' : 'inet6'} comment\n`;
}

/** Input for `ipset -exist restore` that gives the set exactly these members, at once. */
export function renderSetReplacement(family: Family, members: readonly ProbedAddress[]): string {
  const name = probeSets[family];
  const next = `${name}-next`;
  return [
    renderSetCreation(family),
    renderSetCreation(family).replace(name, next),
    `flush ${next}\n`,
    ...members.map((member) => renderSetAddition(member, next)),
    `swap ${next} ${name}\n`,
    `destroy ${next}\n`,
  ].join('');
}

/** A line for `ipset -exist restore`; an address that changes hands gets the new owner's comment. */
export function renderSetAddition({ ip, uid }: ProbedAddress, set = probeSets[familyOf(ip)]): string {
  return `add ${set} ${ip} comment ${quoted(uid)}\n`;
}

export function renderSetRemoval(ip: string): string {
  return `del ${probeSets[familyOf(ip)]} ${ip}\n`;
}

/** Users of the node by whose sockets nftables knows a packet. */
export interface HostUids {
  readonly kubelet: number;
  readonly agent: number;
}

/**
 * The node's table for nftables, with exactly these members, in one transaction. nftables cannot ask whether a packet has a
 * socket, so it asks for the user of that socket, the kubelet's.
 */
export function renderNftHostTable(
  probeAddress: ProbeAddress,
  uids: HostUids,
  ipv6: boolean,
  members: readonly ProbedAddress[],
): string {
  const families: readonly Family[] = ipv6 ? ['v4', 'v6'] : ['v4'];
  const rewrite = (family: Family, uid: number, ports: string, to: ProbeAddress): string => {
    const ip = family === 'v4' ? 'ip' : 'ip6';
    return `    meta skuid ${uid} meta l4proto tcp ${ip} daddr @${probeSets[family]} ${ports}snat ${ip} to ${to[family]}`;
  };
  const proven = `tcp dport { ${provenPorts.join(', ')} } `;
  return [
    renderNftHostRemoval().trimEnd(),
    `table inet ${HOST_NFT_TABLE} {`,
    ...families.flatMap((family) => [
      `  set ${probeSets[family]} {`,
      `    type ${family === 'v4' ? 'ipv4_addr' : 'ipv6_addr'}`,
      '  }',
    ]),
    `  chain ${HOST_NFT_CHAIN} {`,
    '    type nat hook postrouting priority 100; policy accept;',
    ...families.map((family) => rewrite(family, uids.agent, proven, proofAddress)),
    ...families.map((family) => rewrite(family, uids.kubelet, '', probeAddress)),
    '  }',
    '}',
    ...members.map((member) => renderNftElement('add', member)),
    '',
  ].join('\n');
}

export function renderNftHostRemoval(): string {
  return `add table inet ${HOST_NFT_TABLE}\ndelete table inet ${HOST_NFT_TABLE}\n`;
}

/** In one transaction: an element's comment does not change by adding it again. */
export function renderNftAddition(member: ProbedAddress): string {
  return `${renderNftElement('add', { ip: member.ip })}\n${renderNftElement('delete', { ip: member.ip })}\n${renderNftElement('add', member)}\n`;
}

export function renderNftSetRemoval(ip: string): string {
  return `${renderNftElement('add', { ip })}\n${renderNftElement('delete', { ip })}\n`;
}

function renderNftElement(verb: 'add' | 'delete', { ip, uid }: { ip: string; uid?: string }): string {
  const comment = uid === undefined ? '' : ` comment ${quoted(uid)}`;
  return `${verb} element inet ${HOST_NFT_TABLE} ${probeSets[familyOf(ip)]} { ${ip}${comment} }`;
}

/** A UID is a UUID, or of a static pod a hash; what neither is would be syntax of the tool. */
function quoted(uid: string): string {
  return `"${uid.replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 100)}"`;
}
