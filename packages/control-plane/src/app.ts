import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import {
  Backoff,
  describeError,
  MetricsRegistry,
  Readiness,
  realClock,
  SeriesBudget,
} from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { addDiscoveryService, DeltaServer, discoveryServerOptions } from '@ambient/xds/server';

import { addCertificateService } from './ca/grpc-certificate-service.ts';
import { Certificates } from './certificates.ts';
import { DebugGuard } from './debug/debug-access.ts';
import { createDebugServer, createReadinessServer } from './debug/debug-server.ts';
import { debugStream } from './debug/debug-stream.ts';
import { debugPages } from './debug/pages.ts';
import { Discovery } from './discovery/discovery.ts';
import { ClusterPods } from './discovery/pod-lookup.ts';
import { ClockDifference, KubeClient, isPassing } from '@ambient/kube';
import type { KubeConnection } from '@ambient/kube';
import { Leader } from './leader/leader.ts';
import { controlPlaneMetrics, discoveryMetrics, setLeading } from './metrics.ts';
import { discoveryAuthentication } from './server/authenticate-discovery.ts';
import { listenGrpc, listenHttp } from './server/listen.ts';
import { createWebhookServer } from './server/webhook-server.ts';
import type { ControlPlaneSettings } from './settings/settings.ts';
import { version } from './version.ts';

export interface ControlPlaneOptions {
  readonly settings: ControlPlaneSettings;
  readonly connection: KubeConnection;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** A control plane that serves. */
export interface ControlPlane {
  /** Ports that were bound; undefined for listeners that are off. */
  readonly ports: {
    readonly secureGrpc: number;
    readonly plaintextXds: number | undefined;
    readonly webhook: number;
    readonly monitoring: number;
    readonly readiness: number;
  };
  /** The whole mesh is known and served. */
  readonly ready: Promise<void>;
  /** Ends streams cleanly, gives the lead back, closes everything. */
  stop(): Promise<void>;
}

/** How long streams have to end by themselves, milliseconds. */
const streamGraceMs = 2000;

/**
 * Wires a control plane, in the order in which data flows: the cluster's objects, the tables, the streams to proxies; beside
 * them the CA, and what only a leader does.
 *
 * @throws ListenError, CaMaterialError, and the errors of the Kubernetes API
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { settings, connection, log, clock = realClock } = options;
  const { cluster, listeners, discovery: limits } = settings;
  await using stack = new AsyncDisposableStack();
  const clocks = new ClockDifference(clock, log);
  const client = new KubeClient(connection, clock, {
    caller: {
      name: `ambient-control-plane/${version}`,
      remedies: {
        401: 'check the service account of the control plane, or the user of its kubeconfig',
        403: 'give the control plane this permission in its ClusterRole (chart base)',
      },
    },
    onDate: (date) => clocks.observe(date),
  });
  const metrics = await MetricsRegistry.create(
    controlPlaneMetrics,
    new SeriesBudget({}, (metric) => log.warn('too many series of a metric', { metric })),
    () => clock.nowMs(),
  );
  const readiness = new Readiness(() => {});
  const unread = readiness.block('the cluster');
  const ready = Promise.withResolvers<void>();

  const discovery = new Discovery({
    client,
    defaults: {
      clusterId: cluster.clusterId,
      domain: cluster.domain,
      systemNamespace: cluster.namespace,
      revision: cluster.revision,
      dryRunPolicies: limits.dryRunPolicies,
      autoAllowWaypoint: limits.autoAllowWaypoint,
      multiNetwork: limits.multiNetwork,
    },
    clock,
    log: log.scope('discovery'),
    onReport: (report) => leader.take(report),
    onReady: () => {
      log.info('the mesh is known', { ...discovery.engine.state().objects });
      streams.start();
      unread[Symbol.dispose]();
      leader.start();
      ready.resolve();
    },
  });
  stack.defer(() => discovery.stop());
  const pods = new ClusterPods(discovery.engine.store);
  const certificates = stack.use(
    new Certificates({
      settings,
      client,
      pods,
      trustDomain: () => discovery.settings.trustDomain,
      clock,
      log: log.scope('ca'),
      metrics,
    }),
  );
  const streams = stack.use(
    new DeltaServer({
      tables: discovery.tables,
      log: log.scope('xds'),
      metrics: discoveryMetrics(metrics),
      clock,
      limits: {
        debounceAfterMs: limits.debounceAfterMs,
        debounceMaxMs: limits.debounceMaxMs,
        admissionsPerSecond: limits.admissionsPerSecond,
      },
    }),
  );
  const leader = new Leader({
    settings,
    client,
    discovery,
    certificates,
    clock,
    log: log.scope('leader'),
    onChange: (leading) => setLeading(metrics, leading),
  });
  stack.defer(() => leader.stop());

  await untilAnswered(() => certificates.start(), clock, log);
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
  const secure = stack.adopt(new GrpcServer(discoveryServerOptions), closeGrpc);
  addDiscoveryService(
    secure,
    streams,
    discoveryAuthentication(certificates.authenticator, pods),
    debugStream({
      ...debugging,
      authenticator: certificates.authenticator,
      connections: () => streams.connections(),
      instance: cluster.podName,
      clock,
    }),
  );
  addCertificateService(secure, certificates.service, log.scope('ca'));
  const plaintext =
    listeners.plaintextXds === undefined
      ? undefined
      : stack.adopt(new GrpcServer(discoveryServerOptions), closeGrpc);
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
  discovery.start();
  log.info('serving', {
    api: client.server,
    grpc: ports.secureGrpc,
    ...(ports.plaintextXds === undefined ? {} : { plaintextXds: ports.plaintextXds }),
    monitoring: ports.monitoring,
  });
  const running = stack.move();
  return {
    ports,
    ready: ready.promise,
    async stop() {
      readiness.block('shutting down');
      await running.disposeAsync();
    },
  };
}

/**
 * Tries again while the API server cannot be reached, is overloaded or out of order: it may come up together with us.
 *
 * @throws what does not pass by waiting
 */
async function untilAnswered(attempt: () => Promise<void>, clock: Clock, log: Logger): Promise<void> {
  const backoff = new Backoff({ initialMs: 500, maxMs: 5000, jitter: 0.25 });
  for (;;)
    try {
      await attempt();
      return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      const waitMs = Math.round(backoff.nextMs());
      log.warn('cannot read the CA yet, trying again', {
        error: describeError(error),
        retry_in: `${waitMs}ms`,
      });
      await new Promise<void>((resolve) => void clock.setTimer(waitMs, resolve));
    }
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
