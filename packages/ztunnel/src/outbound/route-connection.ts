import type { SocketAddress, TcpSocket } from '@ambient/linux';
import type { DirectRoute, DoubleHboneRoute, HboneRoute, Workload } from '@ambient/mesh';
import { chooseRoute, withResolvedAddress } from '@ambient/mesh';
import type { WorkerContext } from '../worker/context.ts';
import { ProxyError } from '../connections/failure.ts';
import { sendDoubleHbone } from './send-double-hbone.ts';
import { sendHbone } from './send-hbone.ts';
import { sendPlain } from './send-plain.ts';

/** A connection of an application, accepted but not carried yet. Whoever has it owns the socket. */
export interface OutboundCall {
  readonly socket: TcpSocket;
  readonly source: Workload;
  readonly peer: SocketAddress;
  readonly destination: SocketAddress;
}

/** Decides where the connection goes, and sends it there. */
export function route(context: WorkerContext, call: OutboundCall): void {
  context.demand(call.destination, () => {
    const chosen = chooseRoute(context.store, {
      source: call.source,
      sourceIp: call.peer.ip,
      destination: call.destination,
      network: context.settings.place.network,
      selfPorts: context.selfPorts,
      random: Math.random,
    });
    switch (chosen.kind) {
      case 'refused':
        giveUp(context, call, new ProxyError(chosen.reason, chosen.message));
        return;
      case 'passthrough':
        sendPlain(context, call, { to: chosen.destination, upstream: undefined, service: chosen.service });
        return;
      default:
        if (chosen.hostnameToResolve === undefined) send(context, call, chosen);
        else resolve(context, call, chosen, chosen.hostnameToResolve);
    }
  });
}

function send(
  context: WorkerContext,
  call: OutboundCall,
  chosen: DirectRoute | HboneRoute | DoubleHboneRoute,
): void {
  switch (chosen.kind) {
    case 'direct':
      sendPlain(context, call, { to: chosen.dial, upstream: chosen.upstream, service: chosen.service });
      return;
    case 'hbone':
      sendHbone(context, call, chosen);
      return;
    case 'double-hbone':
      sendDoubleHbone(context, call, chosen);
  }
}

function resolve(
  context: WorkerContext,
  call: OutboundCall,
  chosen: DirectRoute | HboneRoute | DoubleHboneRoute,
  hostname: string,
): void {
  context.countOnDemandDns(call.source, hostname);
  context.resolve(hostname, (addresses, error) => {
    const wantIpv6 = call.destination.ip.includes(':');
    const ip = addresses.find((each) => each.includes(':') === wantIpv6) ?? addresses[0];
    if (ip !== undefined) {
      send(context, call, withResolvedAddress(chosen, ip));
      return;
    }
    const text = `${hostname} does not resolve: ${error ?? 'no address'}`;
    giveUp(context, call, new ProxyError('hostname-unresolved', text));
  });
}

/** Ends a connection that has no way to go. */
export function giveUp(context: WorkerContext, call: OutboundCall, error: ProxyError): void {
  call.socket.close();
  context.connections.refused('outbound', call.peer, call.destination, error);
}
