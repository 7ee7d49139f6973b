import { KubeClient } from '@ambient/kube';
import type { KubeConnection } from '@ambient/kube';
import { MetricsRegistry, Readiness, realClock, SeriesBudget } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { EventRecorder } from './cluster/events.ts';
import { NodeObjects } from './cluster/node-objects.ts';
import { PolicyNotices } from './cluster/policy-notices.ts';
import { Leaving } from './leaving.ts';
import { agentMetrics, AgentMetrics } from './metrics.ts';
import { openRulesOfNode } from './rules-of-node.ts';
import type { NodeService } from './serve-node.ts';
import { serveNode } from './serve-node.ts';
import type { AgentSettings } from './settings/settings.ts';
import { closeServer, createHealthServer, createMetricsServer, listenTcp } from './sockets/health-server.ts';
import { Tenure } from './tenure.ts';

export interface AgentOptions {
  readonly settings: AgentSettings;
  readonly connection: KubeConnection;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Ends a start that waits for the API server. */
  readonly signal?: AbortSignal;
}

/** An agent that serves its node. */
export interface Agent {
  readonly ports: { readonly health: number; readonly monitoring: number };
  readonly readiness: Readiness;
  /**
   * Ends; pods stay captured. What is installed on the node stays if another agent follows. If the agent's DaemonSet was
   * deleted, pods are released: nobody would care for them.
   */
  stop(): Promise<void>;
}

/**
 * Wires an agent, in the order in which it comes to serve: how it is asked for its health, what the API server says, how rules
 * are set, and what serves the node.
 *
 * @throws AgentError, RulesError ERR_RULES_UNSUPPORTED, SystemError
 */
export async function startAgent(options: AgentOptions): Promise<Agent | undefined> {
  const { settings, connection, log, clock = realClock, signal = new AbortController().signal } = options;
  const { cluster, install, paths } = settings;
  await using stack = new AsyncDisposableStack();
  const registry = await MetricsRegistry.create(
    agentMetrics,
    new SeriesBudget({}, (metric) => log.warn('too many series of a metric', { metric })),
    () => clock.nowMs(),
  );
  const metrics = new AgentMetrics(registry);
  const readiness = new Readiness();
  using _starting = readiness.block('rules of the node');
  const health = stack.adopt(createHealthServer(readiness), closeServer);
  const monitoring = stack.adopt(createMetricsServer(registry), closeServer);
  const ports = {
    health: await listenTcp(health, paths.healthPort, 'HEALTH_PORT'),
    monitoring: await listenTcp(monitoring, paths.monitoringPort, 'MONITORING_PORT'),
  };

  const client = new KubeClient(connection, clock, {
    caller: {
      name: 'ambient-node-agent',
      remedies: {
        401: 'check the service account of the node agent',
        403: 'give the node agent this permission in its ClusterRole (chart cni)',
      },
    },
  });
  const events = new EventRecorder(client, cluster.nodeName, clock, log.scope('events'));
  const notices = new PolicyNotices({
    policiesOf: (namespace) => objects.policiesOf(namespace),
    events,
    log: log.scope('policies'),
  });
  let touch: ((uid: string) => void) | undefined;
  const objects: NodeObjects = new NodeObjects({
    client,
    nodeName: cluster.nodeName,
    namespace: cluster.namespace,
    clock,
    log: log.scope('api'),
    onPod: (uid) => touch?.(uid),
    onEvent: (type) => metrics.reconciled(type),
    onPolicyGone: (policy) => notices.forget(policy),
  });
  stack.defer(() => objects.stop());
  objects.start();

  const rulesOfNode = stack.use(await openRulesOfNode(settings, log));
  const leaving = new Leaving({ client, objects, cluster, install, clock, log });
  // After all work on pods has ended.
  stack.defer(async () => {
    if (leaving.isFinal) await rulesOfNode.hostRules.uninstall();
  });

  const tenure = new Tenure({
    serve: (ending) =>
      serveNode({
        settings,
        client,
        objects,
        follow: (listener) => (touch = listener),
        events,
        notices,
        rulesOfNode,
        readiness,
        metrics,
        clock,
        signal: ending,
        log,
      }),
    ztunnelSocket: paths.ztunnelSocket,
    clock,
    log,
  });
  if (!(await tenure.begin(signal))) return undefined;
  log.info('serving', { node: cluster.nodeName, health: ports.health, monitoring: ports.monitoring });

  const running = stack.move();
  return {
    ports,
    readiness,
    async stop() {
      readiness.block('shutting down');
      const service = await tenure.end();
      try {
        if (service === undefined) log.info('another agent serves this node: nothing changes');
        else await leave(service, leaving);
      } finally {
        await running.disposeAsync();
      }
    },
  };
}

async function leave(service: NodeService, leaving: Leaving): Promise<void> {
  await using serving = service;
  serving.keepInstalled();
  const { stay, meshLeaves } = await leaving.decide();
  if (!stay) serving.uninstall();
  if (meshLeaves) await serving.releaseAll(leaving);
}
