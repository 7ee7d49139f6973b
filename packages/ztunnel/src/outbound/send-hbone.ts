import type { ConnectRequest, PendingTunnel, PoolRequest, VerifyPeer } from '@ambient/hbone';
import { HboneError } from '@ambient/hbone';
import { findRevoked, verifyServerPeer } from '@ambient/identity/peer';
import { formatAddress } from '@ambient/linux';
import type { DoubleHboneRoute, HboneRoute, Service } from '@ambient/mesh';
import { nextHop, workloadIdentity } from '@ambient/mesh';
import { ProxyError } from '../connections/failure.ts';
import type { ConnectionFacts, LiveConnection } from '../connections/live-connection.ts';
import { readVerifiedChain } from '../connections/peer-chain.ts';
import { TunnelRelay } from '../relay/tunnel-relay.ts';
import type { IdentityContexts } from '../worker/certificate-store.ts';
import type { WorkerContext } from '../worker/context.ts';
import type { OutboundCall } from './route-connection.ts';

/** What the destination must prove: one of the expected identities, by a certificate that is not revoked. */
export function verifyServer(context: WorkerContext, expectedIdentities: readonly string[]): VerifyPeer {
  return (leaf, chain) => {
    const verdict = verifyServerPeer(leaf, expectedIdentities);
    if (!verdict.ok) return new HboneError('peer-identity', verdict.message, { reason: verdict.reason });
    return context.revocations().size === 0 ? undefined : findServerRevocation(context, chain());
  };
}

/** Asks the present revocation list about a server's chain. */
export function findServerRevocation(
  context: WorkerContext,
  chain: readonly Buffer[],
): HboneError | undefined {
  const certificates = readVerifiedChain(chain);
  if (certificates instanceof HboneError) return certificates;
  const revoked = findRevoked(context.revocations(), certificates);
  if (revoked === undefined) return undefined;
  context.countRevoked('source');
  return new HboneError('certificate-revoked', `the server's certificate ${revoked.serialNumber} is revoked`);
}

/** A CONNECT request for a connection of an application. @param trace one for all requests of the connection */
export function connectRequest(
  context: WorkerContext,
  call: OutboundCall,
  authority: string,
  service: Service | undefined,
  trace: string,
): ConnectRequest {
  return {
    authority,
    forwardedFor: formatAddress(call.peer),
    forwardedHost: service?.hostname,
    baggage: context.baggageOf(call.source),
    traceparent: trace,
  };
}

/** What the live table knows of a connection that `relay` carries in a tunnel. */
export function tunnelFacts(
  call: OutboundCall,
  chosen: HboneRoute | DoubleHboneRoute,
  relay: TunnelRelay,
  trace: string,
): ConnectionFacts {
  const hop = nextHop(chosen);
  return {
    direction: 'outbound',
    protocol: chosen.kind === 'hbone' ? 'HBONE' : 'double-HBONE',
    reporter: 'source',
    source: call.source,
    sourcePrincipal: workloadIdentity(call.source),
    destination: hop,
    destinationPrincipal: hop === undefined ? undefined : workloadIdentity(hop),
    destinationService: chosen.service,
    mutualTls: true,
    sourceAddress: call.peer,
    destinationAddress: chosen.dial,
    hboneAddress: chosen.authority,
    originalDestination: call.destination,
    trace,
    counts: {
      bytesSent: () => relay.sentToTunnel,
      bytesReceived: () => relay.receivedFromTunnel,
    },
  };
}

/** The tunnel to the next hop, in a pooled connection that proves one of the route's identities. */
export function tunnelRequest(
  context: WorkerContext,
  call: OutboundCall,
  chosen: HboneRoute | DoubleHboneRoute,
  contexts: IdentityContexts,
  trace: string,
): Omit<PoolRequest, 'sink' | 'onTunnel'> {
  const sourceIdentity = workloadIdentity(call.source);
  return {
    key: {
      sourceIdentity,
      expectedIdentities: chosen.expectedIdentities,
      destination: chosen.dial,
      sourceIp: call.peer.ip,
      workload: nextHop(chosen)?.uid ?? '',
    },
    connect: connectRequest(context, call, chosen.authority, chosen.service, trace),
    context: () => (context.certificates.current(sourceIdentity) ?? contexts).client,
    verify: verifyServer(context, chosen.expectedIdentities),
  };
}

/** Calls `use` with the certificate of the source, unless the connection ends before or there is none. */
export function withSourceCertificate(
  context: WorkerContext,
  call: OutboundCall,
  relay: TunnelRelay,
  use: (contexts: IdentityContexts) => void,
): void {
  const sourceIdentity = workloadIdentity(call.source);
  context.certificates.request(sourceIdentity, (contexts, error) => {
    if (relay.done) return;
    if (contexts === undefined)
      relay.fail(error ?? new ProxyError('certificate-unavailable', `no certificate for ${sourceIdentity}`));
    else use(contexts);
  });
}

/** Carries a connection in a tunnel of a pooled HBONE connection. */
export function sendHbone(context: WorkerContext, call: OutboundCall, chosen: HboneRoute): void {
  let pending: PendingTunnel | undefined;
  const relay: TunnelRelay = new TunnelRelay(context.reactor, {
    onTunnelOpen: () => {
      relay.attachWatched();
    },
    onRelayEnd: (error) => {
      if (!call.socket.closed) call.socket.abort(); // the tunnel failed before it stood
      pending?.cancel();
      context.connections.close(connection, error);
    },
  });
  const trace = context.traceparent();
  const facts = tunnelFacts(call, chosen, relay, trace);
  const connection: LiveConnection = context.connections.open(facts, (error) => {
    relay.fail(error);
  });
  relay.watchSocket(call.socket);
  withSourceCertificate(context, call, relay, (contexts) => {
    pending = context.pool.request({
      ...tunnelRequest(context, call, chosen, contexts, trace),
      sink: relay,
      onTunnel: (tunnel) => {
        relay.attachTunnel(tunnel);
      },
    });
  });
}
