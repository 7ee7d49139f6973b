import type { PendingTunnel } from '@ambient/hbone';
import { ClientConnection, HboneError } from '@ambient/hbone';
import { formatAddress } from '@ambient/linux';
import type { DoubleHboneRoute } from '@ambient/mesh';
import type { LiveConnection } from '../connections/live-connection.ts';
import { TunnelRelay } from '../relay/tunnel-relay.ts';
import type { WorkerContext } from '../worker/context.ts';
import type { OutboundCall } from './route-connection.ts';
import {
  connectRequest,
  tunnelFacts,
  tunnelRequest,
  verifyServer,
  withSourceCertificate,
} from './send-hbone.ts';

/**
 * Carries a connection in a tunnel inside a tunnel, to another network.
 *
 * The tunnel around leads to the gateway, in a pooled connection. The one inside has TLS of its own with whoever serves the
 * call behind the gateway, whom only the service's alternative names vouch for, and is for this connection alone.
 */
export function sendDoubleHbone(context: WorkerContext, call: OutboundCall, chosen: DoubleHboneRoute): void {
  let pending: PendingTunnel | undefined;
  let inner: ClientConnection | undefined;
  const relay: TunnelRelay = new TunnelRelay(context.reactor, {
    onTunnelOpen: () => {
      relay.attachWatched();
    },
    onRelayEnd: (error) => {
      if (!call.socket.closed) call.socket.abort(); // the tunnel failed before it stood
      pending?.cancel();
      // One that stands closes in good order by itself, since its tunnel has ended.
      if (inner?.state === 'connecting' || inner?.state === 'handshaking')
        inner.fail(new HboneError('shut-down', 'the connection that it was made for has ended'));
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
    inner = connectInside(context, call, chosen, relay, trace);
    const link = inner.openInside(contexts.client);
    pending = context.pool.request({
      ...tunnelRequest(context, call, chosen, contexts, trace),
      sink: link,
      onTunnel: (tunnel) => {
        link.attachTunnel(tunnel);
      },
    });
  });
}

/** The connection inside, which opens one tunnel and ends with it. */
function connectInside(
  context: WorkerContext,
  call: OutboundCall,
  chosen: DoubleHboneRoute,
  relay: TunnelRelay,
  trace: string,
): ClientConnection {
  const verify = verifyServer(context, chosen.inner.expectedIdentities);
  const name = `${chosen.inner.authority} behind ${formatAddress(chosen.dial)}`;
  return new ClientConnection(context.reactor, context.hbone, verify, name, {
    onOpen: (opened) => {
      const tunnel = opened.openTunnel(
        {
          ...connectRequest(context, call, chosen.inner.authority, chosen.service, trace),
          network: context.settings.place.network,
        },
        relay,
      );
      if (tunnel !== undefined) relay.attachTunnel(tunnel);
    },
    onTunnelClosed: (opened) => {
      opened.release();
    },
    onGone: (_, error) => {
      // An error of the tunnel around says so itself.
      const outer = error.cause instanceof HboneError;
      relay.fail(outer ? error : new HboneError(error.code, `${name}: ${error.message}`, { cause: error }));
    },
  });
}
