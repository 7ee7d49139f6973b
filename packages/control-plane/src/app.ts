import { ClockDifference, KubeClient, isPassing } from '@ambient/kube';
import type { KubeConnection } from '@ambient/kube';
import {
  Backoff,
  describeError,
  MetricsRegistry,
  Readiness,
  realClock,
  SeriesBudget,
  sleep,
} from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { DeltaServer } from '@ambient/xds/server';

import { Certificates } from './certificates.ts';
import { Discovery } from './discovery/discovery.ts';
import { ClusterPods } from './discovery/pod-lookup.ts';
import { Leader } from './leader/leader.ts';
import { controlPlaneMetrics, discoveryMetrics, setLeading } from './metrics.ts';
import { openServers } from './server/open-servers.ts';
import type { BoundPorts } from './server/open-servers.ts';
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
  readonly ports: BoundPorts;
  /** The whole mesh is known and served. */
  readonly ready: Promise<void>;
  /** Ends streams cleanly, gives the lead back, closes everything. */
  stop(): Promise<void>;
}

/**
 * Wires a control plane, in the order in which data flows: the cluster's objects, the tables, the streams to proxies; beside
 * them the CA, and what only a leader does.
 *
 * @throws ListenError, CaMaterialError, and the errors of the Kubernetes API
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { settings, connection, log, clock = realClock } = options;
  const { cluster, discovery: limits } = settings;
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
  const { ports } = stack.use(
    await openServers({
      settings,
      discovery,
      streams,
      certificates,
      pods,
      leader,
      readiness,
      metrics,
      clock,
      log,
    }),
  );
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
      await sleep(clock, waitMs);
    }
}
