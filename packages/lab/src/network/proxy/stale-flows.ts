// Flows of UDP outlive the endpoint that they lead to: nothing tells the kernel that it is gone. Pure.
import type { ProxiedPort } from './service-ports.ts';

/** Arguments of conntrack(8) that remove the flows of one address and port to one endpoint that is gone. */
export function staleFlows(before: readonly ProxiedPort[], after: readonly ProxiedPort[]): string[][] {
  const kept = new Set(after.flatMap((port) => port.targets.map((target) => flowKey(port, target.address))));
  return before
    .filter(({ protocol }) => protocol === 'udp')
    .flatMap((port) => {
      const gone = new Set(
        port.targets.map(({ address }) => address).filter((address) => !kept.has(flowKey(port, address))),
      );
      const family = port.family === 'v4' ? 'ipv4' : 'ipv6';
      return [...gone].flatMap((address) => [
        ...[port.clusterIp, ...port.externalIps].flatMap((ip) =>
          ip === undefined
            ? []
            : [['-D', '-f', family, '-p', 'udp', '--orig-dst', ip, '--reply-src', address]],
        ),
        ...(port.nodePort === undefined
          ? []
          : [
              [
                '-D',
                '-f',
                family,
                '-p',
                'udp',
                '--orig-port-dst',
                String(port.nodePort),
                '--reply-src',
                address,
              ],
            ]),
      ]);
    });
}

function flowKey({ family, clusterIp, port, protocol }: ProxiedPort, address: string): string {
  return `${family} ${clusterIp} ${protocol} ${port} ${address}`;
}
