import type { TunnelOffer, TunnelSink } from '@ambient/hbone';
import { decodeBaggage } from '@ambient/hbone';
import type { Identity } from '@ambient/identity/peer';
import { formatSpiffe } from '@ambient/identity/peer';
import { formatAddress } from '@ambient/linux';
import type { Verdict, Workload } from '@ambient/mesh';
import {
  authorize,
  guessInboundService,
  resolveInbound,
  samePrincipal,
  workloadIdentity,
  workloadWith,
} from '@ambient/mesh';
import { ProxyError } from '../connections/failure.ts';
import type { LiveConnection } from '../connections/live-connection.ts';
import type { Dialling } from '../relay/dial.ts';
import { TunnelRelay } from '../relay/tunnel-relay.ts';
import type { WorkerContext } from '../worker/context.ts';
import { askPolicies } from './ask-policies.ts';
import { dialApplication } from './dial-application.ts';
import type { InboundPeer } from './hbone-listener.ts';
import { writeProxyHeader } from './proxy-protocol.ts';

/** Answers a CONNECT request: find the target, ask the policies, reach the application, carry. */
export function serveTunnel(
  context: WorkerContext,
  peer: InboundPeer,
  offer: TunnelOffer,
): TunnelSink | number {
  const { connection, workload } = peer;
  const target = resolveInbound(context.store, {
    localWorkload: workload,
    network: context.settings.place.network,
    connectionDestinationIp: connection.local.ip,
    authority: offer.request.authority,
    selfPorts: context.selfPorts,
  });
  if (target.kind === 'refused') {
    peer.refusals.refused(new ProxyError(target.reason, target.message));
    return target.code;
  }

  const identity = peer.client.identity!;
  const source = findSource(context, offer, peer, identity);
  const question = {
    principal: identity,
    sourceIp: connection.peer.ip,
    destinationIp: target.destination.ip,
    destinationPort: target.destination.port,
  };
  let dialling: Dialling | undefined = undefined;
  let answered = false;
  const relay: TunnelRelay = new TunnelRelay(context.reactor, {
    onTunnelOpen: () => undefined,
    onRelayEnd: (error) => {
      dialling?.cancel();
      context.connections.close(live, error);
    },
  });
  relay.attachTunnel(offer.tunnel);
  const service = guessInboundService(
    target.services,
    workload,
    target.destination.port,
    offer.request.forwardedHost,
  );
  const live: LiveConnection = context.connections.open(
    {
      direction: 'inbound',
      protocol: 'HBONE',
      reporter: 'destination',
      source,
      sourcePrincipal: formatSpiffe(identity),
      destination: workload,
      destinationPrincipal: workloadIdentity(workload),
      destinationService: service,
      mutualTls: true,
      sourceAddress: connection.peer,
      destinationAddress: connection.local,
      hboneAddress: formatAddress(target.destination),
      // Its own word, by the name that the mesh knows: what nobody knows does not get into dumps.
      originalDestination: offer.request.forwardedHost === undefined ? undefined : service?.hostname,
      trace: offer.request.traceparent,
      counts: {
        bytesSent: () => relay.sentToTunnel,
        bytesReceived: () => relay.receivedFromTunnel,
      },
    },
    (error) => {
      relay.fail(error);
    },
  );

  const refuse = (status: number, error: ProxyError): void => {
    answered = true;
    offer.refuse(status);
    relay.fail(error);
  };
  const verdict = askPolicies(context, workload, question);
  if (!verdict.allowed) {
    refuse(401, deniedError(verdict, 'policy-denied'));
    return relay;
  }
  live.recheck = () => {
    const again = authorize(context.store, context.store.workload(workload.uid) ?? workload, question);
    if (!again.allowed) relay.fail(deniedError(again, 'policy-changed'));
  };
  const proxyDestination = target.proxyProtocolDestination;
  const onLoopback = proxyDestination !== undefined && context.settings.localhostAppTunnel;
  const loopbackIp = target.destination.ip.includes(':') ? '::1' : '127.0.0.1';
  dialling = dialApplication(context, {
    to: onLoopback ? { ip: loopbackIp, port: target.destination.port } : target.destination,
    client: onLoopback ? { ip: loopbackIp, port: 0 } : connection.peer,
    onConnected: (socket, readiness) => {
      answered = true;
      offer.accept(responseHeaders(context, workload));
      const header =
        proxyDestination === undefined
          ? undefined
          : writeProxyHeader(connection.peer, proxyDestination, formatSpiffe(identity));
      relay.attachDialled(socket, readiness, header);
    },
    onFailed: (error) => {
      if (answered) relay.fail(error);
      else refuse(503, error as ProxyError);
    },
  });
  return relay;
}

function responseHeaders(context: WorkerContext, workload: Workload): string[] {
  if (!context.settings.responseBaggage) return [];
  const baggage = context.baggageOf(workload);
  return baggage === '' ? [] : ['baggage', baggage];
}

/** @param code whether the connection was never allowed, or is no more */
export function deniedError(
  verdict: Extract<Verdict, { allowed: false }>,
  code: 'policy-denied' | 'policy-changed',
): ProxyError {
  const text =
    verdict.reason === 'denied-by-policy'
      ? `connection denied by policy ${verdict.policy ?? ''}`
      : 'connection denied: ALLOW policies apply to the destination and none matches the client';
  return new ProxyError(code, text);
}

/** A peer's longer tale about itself is not heard: it would end up in labels. */
const MAX_BAGGAGE_CHARS = 1024;

/** The workload that calls, for telemetry: the owner of the client's address, where its identity fits; else its own words. */
function findSource(
  context: WorkerContext,
  offer: TunnelOffer,
  peer: InboundPeer,
  identity: Identity,
): Workload | undefined {
  const { network } = context.settings.place;
  const from = offer.request.network;
  if (from === undefined || from.toLowerCase() === network.toLowerCase()) {
    const owner = context.store.workloadByAddress(network, peer.connection.peer.ip);
    if (owner !== undefined && samePrincipal(owner, identity)) return owner;
  }
  const baggage = offer.request.baggage;
  if (baggage === undefined || baggage.length > MAX_BAGGAGE_CHARS) return undefined;
  const facts = decodeBaggage(baggage);
  return workloadWith({
    uid: `baggage ${formatSpiffe(identity)} ${baggage}`,
    namespace: identity.namespace, // proven, unlike what the peer says
    serviceAccount: identity.serviceAccount,
    trustDomain: identity.trustDomain,
    workloadName: facts.workloadName,
    canonicalName: facts.serviceName,
    canonicalRevision: facts.serviceVersion,
    clusterId: facts.cluster,
    locality: { region: facts.region, zone: facts.zone, subzone: '' },
  });
}
