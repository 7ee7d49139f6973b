import type { ConnectRequest, HboneTunnel, PendingTunnel, VerifyPeer } from '@ambient/hbone';
import { HboneError } from '@ambient/hbone';
import { findRevoked, parsePeerCertificate, verifyServerPeer } from '@ambient/identity/peer';
import { formatAddress } from '@ambient/linux';
import type { HboneRoute } from '@ambient/mesh';
import { nextHop, workloadIdentity } from '@ambient/mesh';
import { ProxyError } from '../connections/failure.ts';
import type { LiveConnection } from '../connections/live-connection.ts';
import { TunnelRelay } from '../relay/tunnel-relay.ts';
import type { WorkerContext } from '../worker/context.ts';
import type { OutboundCall } from './route-connection.ts';

/** What the destination must prove: one of the expected identities, by a certificate that is not revoked. */
export function verifyServer(context: WorkerContext, expectedIdentities: readonly string[]): VerifyPeer {
  return (leaf, chain) => {
    const verdict = verifyServerPeer(leaf, expectedIdentities);
    if (!verdict.ok) return new HboneError('peer-identity', verdict.message, { reason: verdict.reason });
    const revocations = context.revocations();
    if (revocations.size === 0) return undefined;
    const revoked = findRevoked(revocations, chain().map(parsePeerCertificate));
    if (revoked === undefined) return undefined;
    context.countRevoked('source');
    return new HboneError(
      'certificate-revoked',
      `the server's certificate ${revoked.serialNumber} is revoked`,
    );
  };
}

/** The CONNECT request for a connection of an application. */
export function connectRequest(
  context: WorkerContext,
  call: OutboundCall,
  chosen: HboneRoute,
): ConnectRequest {
  return {
    authority: chosen.authority,
    forwardedFor: formatAddress(call.peer),
    forwardedHost: chosen.service?.hostname,
    baggage: context.baggageOf(call.source),
    traceparent: context.traceparent(),
  };
}

/** Carries a connection in a tunnel of a pooled HBONE connection. */
export function sendHbone(context: WorkerContext, call: OutboundCall, chosen: HboneRoute): void {
  const sourceIdentity = workloadIdentity(call.source);
  const hop = nextHop(chosen);
  let pending: PendingTunnel | undefined;
  const relay: TunnelRelay = new TunnelRelay(context.reactor, {
    onTunnelOpen: () => {
      relay.attachSocket(call.socket);
    },
    onRelayEnd: (error) => {
      if (!call.socket.closed) call.socket.abort(); // the tunnel failed before it stood
      context.connections.close(connection, error);
    },
  });
  const connection: LiveConnection = context.connections.open(
    {
      direction: 'outbound',
      protocol: 'HBONE',
      reporter: 'source',
      source: call.source,
      sourcePrincipal: sourceIdentity,
      destination: hop,
      destinationPrincipal: hop === undefined ? undefined : workloadIdentity(hop),
      destinationService: chosen.service,
      mutualTls: true,
      sourceAddress: call.peer,
      destinationAddress: chosen.dial,
      hboneAddress: chosen.authority,
      counts: {
        bytesSent: () => relay.sentToTunnel,
        bytesReceived: () => relay.receivedFromTunnel,
      },
    },
    (error) => {
      pending?.cancel();
      relay.fail(error);
    },
  );
  context.certificates.request(sourceIdentity, (contexts, error) => {
    if (relay.done) return;
    if (contexts === undefined) {
      relay.fail(error ?? new ProxyError('certificate-unavailable', `no certificate for ${sourceIdentity}`));
      return;
    }
    pending = context.pool.request({
      key: {
        sourceIdentity,
        expectedIdentities: chosen.expectedIdentities,
        destination: chosen.dial,
        sourceIp: call.peer.ip,
      },
      connect: connectRequest(context, call, chosen),
      context: contexts.client,
      verify: verifyServer(context, chosen.expectedIdentities),
      mark: context.mark,
      sink: relay,
      onTunnel: (tunnel: HboneTunnel) => {
        relay.attachTunnel(tunnel);
      },
    });
  });
}
