import { applyRedirect, NetnsLab, sampleApp } from '@ambient/testkit/lab';
import type { LabProcess, Netns, OutboundRedirect } from '@ambient/testkit/lab';
import { startServers } from './servers.ts';

/** Two namespaces with the applications, before a column adds its proxies. */
export interface Pair {
  readonly lab: NetnsLab;
  readonly client: Netns;
  readonly server: Netns;
}

/** What a column puts between client and server. */
export interface Hops {
  readonly client: LabProcess;
  readonly server: LabProcess;
  /** How the client's connections reach the client's hop. */
  readonly outbound: readonly OutboundRedirect[];
  /** Ports between the hops, which are not captured. */
  readonly tunnelPorts: readonly number[];
}

/** One column of the table: a way from client to server. */
export interface Column {
  readonly name: string;
  /** Text under the table. */
  readonly description: string;
  /** Starts the proxies and resolves when they carry traffic; undefined: there are none. */
  startHops(pair: Pair): Promise<Hops | undefined>;
}

/** A column brought up, apart from all others: its own namespaces, applications and proxies. */
export interface Rig extends Pair {
  readonly column: Column;
  /** The server's address, as the client dials it. */
  readonly host: string;
  readonly hops: Hops | undefined;
  stop(): Promise<void>;
}

/** Brings up one column; nothing is left if that fails. */
export async function startRig(column: Column): Promise<Rig> {
  const lab = NetnsLab.create();
  try {
    const client = await lab.namespace(`${column.name}-client`);
    const server = await lab.namespace(`${column.name}-server`);
    await lab.network([client, server]);
    // Thousands of connections a second to one port must not run out of local ports before the proxies run out of CPU.
    await client.sysctl({ 'net.ipv4.ip_local_port_range': '20000 65535', 'net.ipv4.tcp_tw_reuse': '1' });
    await server.sysctl({ 'net.ipv4.ip_local_port_range': '20000 65535', 'net.ipv4.tcp_tw_reuse': '1' });
    const pair = { lab, client, server };
    await startServers(pair);
    const hops = await column.startHops(pair);
    if (hops !== undefined)
      await applyRedirect(client, { outbound: hops.outbound, tunnelPorts: hops.tunnelPorts });
    const rig: Rig = { ...pair, column, host: server.ipv4, hops, stop: () => lab.destroy() };
    await prove(rig);
    return rig;
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

/** A column whose proxies are bypassed would win the benchmark: the server must have seen the hop, not the client. */
async function prove(rig: Rig): Promise<void> {
  const url = `http://${rig.host}:8080/`;
  const { stdout } = await rig.client.run(
    sampleApp('http-get', { url, 'retry-until': 200, 'deadline-ms': 15_000 }),
  );
  const answer = JSON.parse(stdout) as {
    status: number;
    error: string | null;
    headers: Record<string, string>;
  };
  if (answer.status !== 200)
    throw new Error(
      `column ${rig.column.name}: no answer from the server (${answer.error ?? answer.status}); logs: ${logTails(rig)}`,
    );
  const direct = answer.headers['x-peer'] === rig.client.ipv4;
  if (direct !== (rig.hops === undefined))
    throw new Error(
      `column ${rig.column.name}: the server saw ${answer.headers['x-peer'] ?? 'nobody'}; its traffic does not go where it should`,
    );
}

function logTails(rig: Rig): string {
  if (rig.hops === undefined) return '(no hops)';
  return [rig.hops.client, rig.hops.server]
    .map((hop) => `\n[${hop.name}]\n${hop.lines.slice(-10).join('\n')}`)
    .join('');
}
