import { dirname, join } from 'node:path';
import { KubeClient } from '@ambient/kube';
import type { KubeConnection } from '@ambient/kube';
import { NetworkNamespace } from '@ambient/linux';
import { describeError, MetricsRegistry, Readiness, realClock, SeriesBudget, sleep } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { PodRuleApplier } from '../rules/pod-applier.ts';
import { chooseBackend, makeBackend, makeHostRules, probeNode } from '../rules/probe.ts';
import { ZdsServer } from '../zds/server.ts';
import { EventRecorder } from './cluster/events.ts';
import { NodeObjects } from './cluster/node-objects.ts';
import { PodStatusWriter } from './cluster/pod-status.ts';
import { PolicyNotices } from './cluster/policy-notices.ts';
import { DriftWatch } from './drift/drift-watch.ts';
import { RuleGenerations } from './drift/rule-generations.ts';
import { Installation } from './install/installation.ts';
import type { StayDecision } from './install/stay-installed.ts';
import { decideStay } from './install/stay-installed.ts';
import { agentMetrics, AgentMetrics } from './metrics.ts';
import { NetnsFinder } from './netns/find-netns.ts';
import { adoptCaptured, probedAddresses } from './pods/adopt.ts';
import type { CapturedPod } from './pods/captured-pod.ts';
import { CaptureSteps } from './pods/capture-steps.ts';
import { Enroller } from './pods/enroller.ts';
import { readRemembered, RememberedPods } from './pods/remembered-pods.ts';
import { StartingPods } from './pods/starting-pods.ts';
import type { Proofs } from './proof/start-proofs.ts';
import { startProofs } from './proof/start-proofs.ts';
import type { AgentSettings } from './settings/settings.ts';
import { closeServer, createHealthServer, createMetricsServer, listenTcp } from './sockets/health-server.ts';
import { PluginServer } from './sockets/plugin-server.ts';
import { ZtunnelArrivals } from './pods/ztunnel-arrivals.ts';

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
const STAY_QUESTION_MS = 2000;
/** So long is waited for the API server before the agent begins with what the one before it has left. */
const API_PATIENCE_MS = 2000;
/** Beside the socket for ztunnel. */
const REMEMBERED_PODS = 'captured-pods.json';
/** When the mesh leaves the node, connections that ztunnel carries have so long to end by themselves. */
const LEAVING_GRACE_MS = 5000;

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

  const node = paths.switchToHost
    ? stack.use(NetworkNamespace.open(join(paths.proc, '1/ns/net')))
    : undefined;
  const findings = await probeNode(node, ambient.ipv6);
  const backend = chooseBackend(findings, { nativeNftables: ambient.nativeNftables, ipv6: ambient.ipv6 });
  log.info('rules are set with', { backend, ipv6: ambient.ipv6 });
  const probeAddress = { v4: ambient.probeAddressV4, v6: ambient.probeAddressV6 };
  const rules = new PodRuleApplier(makeBackend(backend, ambient.ipv6), ambient.ipv6);
  let leaving = false;
  const hostRules = makeHostRules(
    backend,
    { namespace: node, ipv6: ambient.ipv6, probeAddress },
    ambient.kubeletUid,
  );
  // After all work on pods has ended.
  stack.defer(async () => {
    if (leaving) await hostRules.uninstall();
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
  // Without the pods, a ztunnel that connects would be told that there are none, and would drop those that it has.
  let early: ZdsServer | undefined;
  if (!(await within(API_PATIENCE_MS, objects.synced, clock, signal))) {
    for (const [uid, record] of await readRemembered(rememberedPath, finder)) pods.set(uid, record);
    if (pods.size > 0) {
      log.warn('the API server does not answer: ztunnel is served as the agent before has left it', {
        pods: pods.size,
      });
      early = listen();
    }
    await Promise.race([objects.synced, aborted(signal)]);
  }
  if (signal.aborted) return undefined;
  const adopted = await adoptCaptured(objects.pods(), cluster.systemNamespace, finder, pods);
  for (const record of adopted) pods.set(record.uid, record);
  await hostRules.replace(probedAddresses(pods.values()));
  log.info('the pods of the node are known', {
    pods: [...objects.pods()].length,
    captured_before: pods.size,
  });
  const zds = early ?? listen();
  // A ztunnel that is connected has had its snapshot without them.
  for (const record of zds.connected > 0 ? adopted : [])
    if (record.netns !== undefined)
      void zds.add({ ...record, netns: record.netns }).catch((error: unknown) => {
        log.warn('a pod cannot be handed to ztunnel', { uid: record.uid, error: describeError(error) });
      });

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
      fullIntervalMs: backend === 'nft' || backend === 'iptables-nft' ? FULL_CHECK_MS : FULL_CHECK_LEGACY_MS,
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
  stack.use(
    await PluginServer.listen({
      directory: paths.mountedRunDirectory,
      onStarting: (pod, gone) => starting.capture(pod, gone),
      metrics,
      log: podLog,
      pluginLog: log.scope('plugin'),
    }),
  );
  unread[Symbol.dispose]();

  const installation = stack.use(
    new Installation({ settings, readiness, metrics, clock, log: log.scope('install') }),
  );
  uninstalled[Symbol.dispose]();
  log.info('serving', { node: cluster.nodeName, health: ports.health, monitoring: ports.monitoring });

  const decide = async (): Promise<StayDecision> => {
    if (objects.daemonSetDeleted)
      return { stay: false, meshLeaves: true, reason: 'its DaemonSet is deleted' };
    if (install.disableSafeUpgrade)
      return { stay: false, meshLeaves: false, reason: 'AMBIENT_DISABLE_SAFE_UPGRADE is set' };
    const { namespace, nodeName } = cluster;
    const { ownConfig } = install;
    return decideStay({ client, namespace, nodeName, ownConfig, timeoutMs: STAY_QUESTION_MS });
  };
  const releaseAll = async (): Promise<void> => {
    const before = pods.size;
    const captured = await enroller.releaseAll();
    log.info('the pods of the node are released', { pods: before - captured, still_captured: captured });
    if (before > captured && zds.connected > 0) await sleep(clock, LEAVING_GRACE_MS);
  };

  const running = stack.move();
  return {
    ports,
    readiness,
    async stop() {
      readiness.block('shutting down');
      installation.stop();
      const { stay, meshLeaves, reason } = await decide();
      log.info(stay ? 'what is installed on the node stays' : 'what is installed on the node is removed', {
        reason,
      });
      try {
        if (!stay) {
          leaving = true;
          installation.uninstall();
        }
        // The watch may not have told of it yet.
        if (meshLeaves && objects.daemonSetSeen) await releaseAll();
      } finally {
        await running.disposeAsync();
      }
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Whether something comes to pass in time. */
async function within(ms: number, event: Promise<void>, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  using _timer = clock.setTimer(ms, () => late.resolve(false));
  return await Promise.race([event.then(() => true), aborted(signal).then(() => false), late.promise]);
}
