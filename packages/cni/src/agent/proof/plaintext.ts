import type { DiagnosedSocket, SocketAddress } from '@ambient/linux';
import { formatAddress } from '@ambient/linux';
import { proofAddress } from '../../rules/host-rules.ts';
import type { PodCapture } from '../../rules/pod-capture.ts';
import { PROXY_MARK, ztunnelPorts } from '../../rules/pod-rules.ts';

/** A connection of a captured pod that goes past ztunnel, in plain text. */
export interface PlaintextConnection {
  readonly direction: 'inbound' | 'outbound';
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly socket: DiagnosedSocket;
}

/** Ports of ztunnel to which what the pod opens is redirected. */
const carrying: readonly number[] = [ztunnelPorts.outbound, ztunnelPorts.dns];

/**
 * Of all TCP sockets in a captured pod's namespace, those whose connection ztunnel does not carry although it carries new ones
 * of the kind: they were opened before the pod was captured, or while it was not. ztunnel's own sockets have its mark. Of a
 * connection that it carries there is another socket of its in the namespace: one that the application's was redirected to,
 * or one that has called the application as the client.
 * @param own the pod's addresses: what it says to itself is nobody else's
 */
export function plaintextConnections(
  sockets: readonly DiagnosedSocket[],
  capture: PodCapture,
  own: readonly string[],
): PlaintextConnection[] {
  const served = new Set(sockets.filter(({ listening }) => listening).map(({ local }) => local.port));
  const carried = new Set<string>();
  for (const { local, remote, mark } of sockets) {
    if (mark !== PROXY_MARK) continue;
    if (carrying.includes(local.port)) carried.add(formatAddress(remote));
    carried.add(`${formatAddress(remote)} ${formatAddress(local)}`);
  }
  const { probeAddress } = capture;
  const passing = new Set([...own, probeAddress.v4, probeAddress.v6, proofAddress.v4, proofAddress.v6]);
  return sockets.flatMap((socket): PlaintextConnection[] => {
    const { local, remote, listening, mark } = socket;
    if (listening || mark === PROXY_MARK) return [];
    if (isLoopback(remote.ip) || remote.ip === local.ip || passing.has(remote.ip)) return [];
    if (!capture.ipv6 && remote.ip.includes(':')) return [];
    const direction = served.has(local.port) ? 'inbound' : 'outbound';
    if (direction === 'inbound' && !capture.inbound) return [];
    const ends = `${formatAddress(local)} ${formatAddress(remote)}`;
    if (carried.has(ends) || carried.has(formatAddress(local))) return [];
    return [{ direction, local, remote, socket }];
  });
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}
