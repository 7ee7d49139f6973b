import { dirname, join } from 'node:path';
import type { KubeClient } from '@ambient/kube';
import type { Clock, Logger, Readiness } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import { ZdsServer } from '../zds/server.ts';
import type { EventRecorder } from './cluster/events.ts';
import type { NodeObjects } from './cluster/node-objects.ts';
import { PodStatusWriter } from './cluster/pod-status.ts';
import type { PolicyNotices } from './cluster/policy-notices.ts';
import { DriftWatch } from './drift/drift-watch.ts';
import { RuleGenerations } from './drift/rule-generations.ts';
import { Installation } from './install/installation.ts';
import type { Leaving } from './leaving.ts';
import type { AgentMetrics } from './metrics.ts';
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
import type { RulesOfNode } from './rules-of-node.ts';
import type { AgentSettings } from './settings/settings.ts';
import { PluginServer } from './sockets/plugin-server.ts';
import type { KeptSocket } from './sockets/socket-upkeep.ts';
import { SocketUpkeep } from './sockets/socket-upkeep.ts';

export interface NodeServiceOptions {
  readonly settings: AgentSettings;
  readonly client: KubeClient;
  readonly objects: NodeObjects;
  /** Who is told from now on of pods about which something has changed. */
  readonly follow: (listener: ((uid: string) => void) | undefined) => void;
  readonly events: EventRecorder;
  readonly notices: PolicyNotices;
  readonly rulesOfNode: RulesOfNode;
  readonly readiness: Readiness;
  readonly metrics: AgentMetrics;
  readonly clock: Clock;
  /** Ends a start that waits. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What an agent does for its node, from taking the sockets to giving them up. */
export interface NodeService extends AsyncDisposable {
  /** Whether another agent has taken the place of this one. */
  readonly isSucceeded: boolean;
  /** Leaves what is installed as it is from now on. */
  keepInstalled(): void;
  /** After `keepInstalled`. */
  uninstall(): void;
  /** Gives the node's pods back. */
  releaseAll(leaving: Leaving): Promise<void>;
}

/** Rules of all pods are compared at least so often, milliseconds; more often where no generation tells of a change. */
const FULL_CHECK_MS = 600_000;
const FULL_CHECK_LEGACY_MS = 5000;
/** Beside the socket for ztunnel. */
const REMEMBERED_PODS = 'captured-pods.json';

/**
 * Wires what serves the node, in the order in which it comes to serve: what the agent before has left, the socket for ztunnel,
 * the pods, the sockets for the plugin, and last the plugin itself, which holds pods up without them. Its end goes the other
 * way: the socket for ztunnel, by which another agent knows that nothing is done here any more, is the last but for what
 * only this process holds.
 *
 * @returns undefined when the wait was ended
 * @throws AgentError, RulesError, SystemError
 */
export async function serveNode(options: NodeServiceOptions): Promise<NodeService | undefined> {
  const { settings, client, objects, events, notices, readiness, metrics, clock, signal, log } = options;
  const { ambient, cluster, paths } = settings;
  const { node, rules, hostRules, probeAddress, countsChanges } = options.rulesOfNode;
  await using stack = new AsyncDisposableStack();
  using _unserved = readiness.block('pods of the node');

  const finder = new NetnsFinder(paths.proc);
  const pods = new Map<string, CapturedPod>();
  stack.defer(() => {
    for (const { netns } of pods.values()) netns?.close();
    for (const state of ['captured', 'pending', 'releasing'] as const) metrics.pods(state, 0);
    metrics.proofs({ proven: 0, gap: 0, unproven: 0 });
    metrics.plaintextConnections(0);
  });
  const rememberedPath = join(dirname(paths.ztunnelSocket), REMEMBERED_PODS);
  const arrivals = new ZtunnelArrivals(clock);
  let proofs: Proofs | undefined;
  let retryPending: () => void = () => undefined;
  const claim = (): ZdsServer =>
    stack.use(
      ZdsServer.claim({
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
    ztunnelSocket: paths.ztunnelSocket,
    claim,
    clock,
    signal,
    log,
  });
  if (zds === undefined) return undefined;
  const remembered = stack.use(new RememberedPods(rememberedPath, () => pods.values(), clock, log));

  const wishSettings = {
    enabled: ambient.enabled,
    selectors: ambient.selectors,
    excludedNamespaces: ambient.excludedNamespaces,
    systemNamespace: cluster.systemNamespace,
    capture: { ipv6: ambient.ipv6, dns: ambient.dnsCapture, probeAddress },
  };
  const generations = stack.use(
    new RuleGenerations(pods, (error) =>
      log.error('a defect in the search for changed rules', { error: describeError(error) }),
    ),
  );
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
  retryPending = () => enroller.retryPending();
  options.follow((uid) => enroller.touch(uid));
  stack.defer(() => options.follow(undefined));
  for (const uid of [...[...objects.pods()].map(({ metadata }) => metadata.uid), ...pods.keys()])
    enroller.touch(uid);
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

  const installation = stack.use(
    new Installation({ settings, readiness, metrics, clock, log: log.scope('install') }),
  );
  const serving = stack.move();
  return {
    get isSucceeded() {
      return zds.holder === 'other';
    },
    keepInstalled: () => installation.stop(),
    uninstall: () => installation.uninstall(),
    releaseAll: (leaving) => leaving.releaseAll(enroller, zds, pods.size),
    [Symbol.asyncDispose]: () => serving.disposeAsync(),
  };
}
