import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import type { Clock, Logger, MetricsRegistry, Readiness } from '@ambient/runtime';
import type { DeltaServer } from '@ambient/xds/server';
import { addDiscoveryService, discoveryServerOptions } from '@ambient/xds/server';

import { addCertificateService } from '../ca/grpc-certificate-service.ts';
import type { Certificates } from '../certificates.ts';
import { DebugGuard } from '../debug/debug-access.ts';
import { createDebugServer, createReadinessServer } from '../debug/debug-server.ts';
import { debugStream } from '../debug/debug-stream.ts';
import { debugPages } from '../debug/pages.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { ClusterPods } from '../discovery/pod-lookup.ts';
import type { Leader } from '../leader/leader.ts';
import type { ControlPlaneSettings } from '../settings/settings.ts';
import { discoveryAuthentication } from './authenticate-discovery.ts';
import { listenGrpc, listenHttp } from './listen.ts';
import { createWebhookServer } from './webhook-server.ts';

/** What the servers answer from. */
export interface ServedParts {
  readonly settings: ControlPlaneSettings;
  readonly discovery: Discovery;
  readonly streams: DeltaServer;
  /** Started: the servers show its certificate. */
  readonly certificates: Certificates;
  readonly pods: ClusterPods;
  readonly leader: Leader;
  readonly readiness: Readiness;
  readonly metrics: MetricsRegistry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Ports that were bound; undefined for listeners that are off. */
export interface BoundPorts {
  readonly secureGrpc: number;
  readonly plaintextXds: number | undefined;
  readonly webhook: number;
  readonly monitoring: number;
  readonly readiness: number;
}

/** The servers of a control plane. Disposing of them ends streams cleanly, and cuts what has not ended in time. */
export interface Servers extends AsyncDisposable {
  readonly ports: BoundPorts;
}

/** How long streams have to end by themselves, milliseconds. */
const streamGraceMs = 2000;

/**
 * Opens every port of the settings: discovery and certificates over gRPC, the webhook, readiness and debug pages.
 *
 * @throws ListenError, with nothing left open
 */
export async function openServers(parts: ServedParts): Promise<Servers> {
  const { settings, discovery, streams, certificates, leader, readiness, metrics, log } = parts;
  const { listeners } = settings;
  await using stack = new AsyncDisposableStack();
  const debugging = {
    pages: debugPages({ settings, discovery, streams, certificates, leader, levels: log.levels }),
    guard: new DebugGuard({
      authenticator: certificates.authenticator,
      rootNamespace: () => discovery.settings.rootNamespace,
    }),
    readiness,
    metrics,
    levels: log.levels,
    log: log.scope('debug'),
  };
  const readinessServer = stack.adopt(createReadinessServer(debugging), closeHttp);
  const debugServer = stack.adopt(createDebugServer(debugging), closeHttp);
  const webhook = createWebhookServer(certificates.serving);
  stack.use(webhook.swaps);
  stack.adopt(webhook.server, closeHttp);
  const secure = stack.adopt(secureServer(parts, debugging), closeGrpc);
  const plaintext = listeners.plaintextXds && stack.adopt(new GrpcServer(discoveryServerOptions), closeGrpc);
  if (plaintext !== undefined)
    addDiscoveryService(plaintext, streams, (_, { address }) =>
      Promise.resolve({ principal: `unauthenticated ${address}` }),
    );

  const ports = {
    readiness: await listenHttp(readinessServer, listeners.readiness, 'HTTP_ADDRESS'),
    monitoring: await listenHttp(debugServer, listeners.monitoring, 'MONITORING_ADDRESS'),
    webhook: await listenHttp(webhook.server, listeners.webhook, 'WEBHOOK_ADDRESS'),
    secureGrpc: await listenGrpc(
      secure,
      listeners.secureGrpc,
      certificates.serving.serverCredentials(),
      'SECURE_GRPC_ADDRESS',
    ),
    plaintextXds:
      plaintext === undefined || listeners.plaintextXds === undefined
        ? undefined
        : await listenGrpc(
            plaintext,
            listeners.plaintextXds,
            ServerCredentials.createInsecure(),
            'PLAINTEXT_XDS_ADDRESS',
          ),
  };
  const owned = stack.move();
  return { ports, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Discovery, debug pages over discovery, and certificates, for clients that prove who they are. */
function secureServer(
  { settings, streams, certificates, pods, clock, log }: ServedParts,
  debugging: Pick<Parameters<typeof debugStream>[0], 'pages' | 'guard' | 'log'>,
): GrpcServer {
  const server = new GrpcServer(discoveryServerOptions);
  addDiscoveryService(
    server,
    streams,
    discoveryAuthentication(certificates.authenticator, pods),
    debugStream({
      ...debugging,
      authenticator: certificates.authenticator,
      connections: () => streams.connections(),
      instance: settings.cluster.podName,
      clock,
    }),
  );
  addCertificateService(server, certificates.service, log.scope('ca'));
  return server;
}

function closeHttp(server: { close(done: () => void): unknown; closeAllConnections(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function closeGrpc(server: GrpcServer): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.forceShutdown(), streamGraceMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
