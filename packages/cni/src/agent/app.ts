import { dirname, join } from 'node:path';
import { KubeClient } from '@ambient/kube';
import type { KubeConnection } from '@ambient/kube';
import { MetricsRegistry, Readiness, realClock, SeriesBudget } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { ZdsServer } from '../zds/server.ts';
import { EventRecorder } from './cluster/events.ts';
import { NodeObjects } from './cluster/node-objects.ts';
import { PodStatusWriter } from './cluster/pod-status.ts';
import { PolicyNotices } from './cluster/policy-notices.ts';
import { DriftWatch } from './drift/drift-watch.ts';
import { RuleGenerations } from './drift/rule-generations.ts';
import { Installation } from './install/installation.ts';
import { Leaving } from './leaving.ts';
import { agentMetrics, AgentMetrics } from './metrics.ts';
import { NetnsFinder } from './netns/find-netns.ts';
import type { CapturedPod } from './pods/captured-pod.ts';
import { CaptureSteps } from './pods/capture-steps.ts';
import { Enroller } from './pods/enroller.ts';
import { RememberedPods } from './pods/remembered-pods.ts';
import { StartingPods } from './pods/starting-pods.ts';
import { takeOver } from './pods/take-over.ts';
import { ZtunnelArrivals } from './pods/ztunnel-arrivals.ts';
import type { Proofs } from './proof/start-proofs.ts';
import { startProofs } from './proof/start-proofs.ts';
import { openRulesOfNode } from './rules-of-node.ts';
import type { AgentSettings } from './settings/settings.ts';
import { closeServer, createHealthServer, createMetricsServer, listenTcp } from './sockets/health-server.ts';
import { PluginServer } from './sockets/plugin-server.ts';
import type { KeptSocket } from './sockets/socket-upkeep.ts';
import { SocketUpkeep } from './sockets/socket-upkeep.ts';

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

/** Rules of all pods are compared at least so often, milliseconds; more often where no generation tells of a change. */
const FULL_CHECK_MS = 600_000;
const FULL_CHECK_LEGACY_MS = 5000;
/** Beside the socket for ztunnel. */
const REMEMBERED_PODS = 'captured-pods.json';

/**
 * Wires an agent, in the order in which it comes to serve: what the API server says, what the agent before has left, the
 * socket for ztunnel, the pods, the sockets for the plugin, and last the plugin itself, which holds pods up without them.
 *
 * @throws AgentError, RulesError ERR_RULES_UNSUPPORTED, SystemError
 */
export async function startAgent(options: AgentOptions): Promise<Agent | undefined> {
  const { settings, connection, log, clock = realClock, signal = new AbortController().signal } = options;
  const { ambient, cluster, install, paths } = settings;
  await using stack = new AsyncDisposableStack();
  const registry = await MetricsRegistry.create(
    agentMetrics,
    new SeriesBudget({}, (metric) => log.warn('too many series of a metric', { metric })),
    () => clock.nowMs(),
  );
  const metrics = new AgentMetrics(registry);
  const readiness = new Readiness();
  const unread = readiness.block('pods of the node');
  const uninstalled = readiness.block('installation');
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
  let touch: (uid: string) => void = () => undefined;
  const objects: NodeObjects = new NodeObjects({
    client,
    nodeName: cluster.nodeName,
    namespace: cluster.namespace,
    clock,
    log: log.scope('api'),
    onPod: (uid) => touch(uid),
    onEvent: (type) => metrics.reconciled(type),
    onPolicyGone: (policy) => notices.forget(policy),
  });
  stack.defer(() => objects.stop());
  objects.start();

  const { node, rules, hostRules, probeAddress, countsChanges } = stack.use(
    await openRulesOfNode(settings, log),
  );
  const leaving = new Leaving({ client, objects, cluster, install, clock, log });
  // After all work on pods has ended.
  stack.defer(async () => {
    if (leaving.isFinal) await hostRules.uninstall();
  });

  const finder = new NetnsFinder(paths.proc);
  const pods = new Map<string, CapturedPod>();
  stack.defer(() => {
    for (const { netns } of pods.values()) netns?.close();
  });
  const rememberedPath = join(dirname(paths.ztunnelSocket), REMEMBERED_PODS);
  const remembered = stack.use(new RememberedPods(rememberedPath, () => pods.values(), clock, log));
  const arrivals = new ZtunnelArrivals(clock);
  let proofs: Proofs | undefined;
  let retryPending: () => void = () => undefined;
  const listen = (): ZdsServer =>
    stack.use(
      ZdsServer.listen({
        path: paths.ztunnelSocket,
        pods,
        clock,
        logger: log.scope('zds'),
        onConnected: (count) => {
          metrics.ztunnels(count);
          arrivals.changed(count);
          proofs?.ztunnelsChanged();
          if (count > 0) retryPending();
        },
      }),
    );
  const zds = await takeOver({
    objects,
    pods,
    finder,
    rememberedPath,
    systemNamespace: cluster.systemNamespace,
    hostRules,
    listen,
    clock,
    signal,
    log,
  });
  if (zds === undefined) return undefined;

  const wishSettings = {
    enabled: ambient.enabled,
    selectors: ambient.selectors,
    excludedNamespaces: ambient.excludedNamespaces,
    systemNamespace: cluster.systemNamespace,
    capture: { ipv6: ambient.ipv6, dns: ambient.dnsCapture, probeAddress },
  };
  const generations = stack.use(new RuleGenerations(pods));
  const drift = stack.use(
    new DriftWatch({
      pods: () => pods.keys(),
      generations,
      verify: (uid) => enroller.verify(uid),
      intervalMs: ambient.checkIntervalMs,
      fullIntervalMs: countsChanges ? FULL_CHECK_MS : FULL_CHECK_LEGACY_MS,
      clock,
      log: log.scope('drift'),
    }),
  );
  const podLog = log.scope('pods');
  const status = new PodStatusWriter(client, () => clock.nowMs());
  const enroller: Enroller = new Enroller({
    settings: wishSettings,
    releaseGraceMs: ambient.releaseGraceMs,
    concurrency: ambient.concurrency,
    reconcileRules: ambient.reconcileRules,
    objects,
    pods,
    steps: new CaptureSteps({
      rules,
      hostRules,
      zds,
      pods,
      proc: paths.proc,
      metrics,
      clock,
      log: podLog,
    }),
    rules,
    finder,
    status,
    events,
    onRulesSet: (uid) => {
      drift.noteSet(uid);
      proofs?.captured(uid);
    },
    onChanged: () => remembered.touch(),
    proofOf: async (uid) => proofs?.stateOf(uid),
    onCaptured: (pod) => notices.look(pod),
    metrics,
    clock,
    log: podLog,
  });
  stack.defer(() => enroller.stop());
  if (ambient.proofIntervalMs > 0)
    proofs = stack.use(
      startProofs({
        pods,
        node,
        podObject: (uid) => objects.pod(uid),
        ztunnels: () => zds.connected,
        repair: (uid, thorough) => enroller.recapture(uid, thorough),
        status,
        events,
        metrics,
        intervalMs: ambient.proofIntervalMs,
        cutPlaintext: ambient.cutPlaintext,
        clock,
        log: log.scope('proof'),
      }),
    );
  touch = (uid) => enroller.touch(uid);
  retryPending = () => enroller.retryPending();
  for (const uid of [...[...objects.pods()].map(({ metadata }) => metadata.uid), ...pods.keys()]) touch(uid);

  if (ambient.checkIntervalMs > 0) drift.start();

  const starting = new StartingPods({
    objects,
    pods,
    client,
    enroller,
    ztunnelWithin: (ms) => arrivals.within(ms),
    settings: wishSettings,
    hostRoot: paths.hostRoot,
    clock,
    log: podLog,
  });
  const plugin = stack.use(
    await PluginServer.listen({
      directory: paths.mountedRunDirectory,
      onStarting: (pod, gone) => starting.capture(pod, gone),
      metrics,
      log: podLog,
      pluginLog: log.scope('plugin'),
    }),
  );
  const kept = new Map<string, KeptSocket>([
    ['ztunnel', zds],
    ['plugin', plugin],
  ]);
  stack.use(new SocketUpkeep(kept, clock, log.scope('sockets')));
  unread[Symbol.dispose]();

  const installation = stack.use(
    new Installation({ settings, readiness, metrics, clock, log: log.scope('install') }),
  );
  uninstalled[Symbol.dispose]();
  log.info('serving', { node: cluster.nodeName, health: ports.health, monitoring: ports.monitoring });

  const running = stack.move();
  return {
    ports,
    readiness,
    async stop() {
      readiness.block('shutting down');
      installation.stop();
      const { stay, meshLeaves } = await leaving.decide();
      try {
        if (!stay) installation.uninstall();
        if (meshLeaves) await leaving.releaseAll(enroller, zds, pods.size);
      } finally {
        await running.disposeAsync();
      }
    },
  };
}
