import { describeError, Drain, Logger, Readiness, realClock } from '@ambient/runtime';
import type { Clock, DrainOutcome, LogLevels, LogOutput } from '@ambient/runtime';
import { AdminListener } from './admin-listener.ts';
import type { AdminServers } from './admin/admin-servers.ts';
import { listenAdminServers } from './admin/admin-servers.ts';
import { localConnections } from './admin/local-connections.ts';
import { WorkerReports } from './admin/worker-reports.ts';
import { Capture } from './capture/capture.ts';
import type { CaptureOptions } from './capture/capture.ts';
import { NodeCertificates } from './certificates/node-certificates.ts';
import { configDump } from './config-dump.ts';
import { Discovery } from './discovery/discovery.ts';
import { HostnameResolver, systemLookup } from './discovery/hostname-resolver.ts';
import { MeshReplicator } from './discovery/mesh-replicator.ts';
import { MeshSnapshot } from './discovery/snapshot/mesh-snapshot.ts';
import { snapshotFileOf } from './discovery/snapshot/snapshot-file.ts';
import { ProcessMetrics, workloadSeriesKey } from './process-metrics.ts';
import { MemoryRelease } from './release-memory.ts';
import { selfCallPorts } from './settings.ts';
import type { ZtunnelSettings } from './settings.ts';
import { version } from './version.ts';
import { DataWorkers } from './workers/data-workers.ts';
import type { BoundPorts, WorkerLink, WorkerRequest } from './workers/data-workers.ts';
import { threadSpawner } from './workers/worker-thread.ts';

/** Names of what readiness waits for, as Istio's ztunnel gives them to whoever asks. */
const readinessBlockers = { stateManager: 'state manager', proxy: 'proxy', dns: 'dns proxy' } as const;

const dataWorkerEntry = new URL('./worker/main.ts', import.meta.url);

const noIdentities: CaptureOptions['identities'] = { hold: () => {}, release: () => {} };

/** The main thread's deadline is a little behind that of the workers, so that they can still say how they ended. */
const drainGraceMs = 500;

export interface ZtunnelOptions {
  readonly settings: ZtunnelSettings;
  readonly logLevels: LogLevels;
  /** Owned by the caller, who closes it after {@link Ztunnel.ended}. */
  readonly logOutput: LogOutput;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Module of the data workers; tests give their own. */
  readonly workerEntry?: URL;
}

/** A node proxy that runs. */
export interface Ztunnel {
  /** Ports of the data path. */
  readonly ports: BoundPorts;
  /** Ports for operators; undefined while another process has them. */
  readonly admin: AdminServers | undefined;
  /** Begins the graceful end; again: ends at once, cutting what is left. */
  shutdown(reason: string): void;
  /** Settles when everything has ended. Rejects with AgentProtocolError if it ended for that, when it has. */
  readonly ended: Promise<DrainOutcome>;
}

/**
 * Starts the node proxy and wires its parts, in the order in which a connection needs them: the mesh that tells where it
 * goes, the certificates that it shows, the workers that carry it, the ports where operators look at it, and its end.
 *
 * @returns when the data path is bound and the operators' ports are served
 * @throws WorkerStartError, ListenError, LocalSourceError, CaError or FakeCaDirectoryError, with
 *   nothing left running
 */
export async function startZtunnel(options: ZtunnelOptions): Promise<Ztunnel> {
  const { settings, logLevels, logOutput } = options;
  const { clock = realClock, random = Math.random, workerEntry = dataWorkerEntry } = options;
  const log = new Logger(logLevels, logOutput, 'app');
  log.info('starting', { version, mode: settings.mode, workers: settings.workerThreads, pid: process.pid });
  for (const { setting, reason } of settings.withoutEffect)
    log.warn('a setting has no effect', { setting, reason });

  await using startup = new AsyncDisposableStack();
  /** The first complete state of the mesh is here. */
  let synced = false;
  const readiness = new Readiness((ready) => {
    if (ready) log.info('ready');
    else if (synced) log.info('not ready', { pending: readiness.pending.join(', ') });
  });
  const stateBlocker = readiness.block(readinessBlockers.stateManager);
  /** What all workers together serve. */
  const blockTraffic = (): DisposableStack => {
    const blockers = new DisposableStack();
    if (settings.proxyEnabled) blockers.use(readiness.block(readinessBlockers.proxy));
    if (settings.dns.enabled) blockers.use(readiness.block(readinessBlockers.dns));
    return blockers;
  };
  let trafficBlocker: DisposableStack | undefined = blockTraffic();
  // The mesh: sources -> one stream -> our copy, the workers' copies, the certificates that it calls for.
  const mesh = new MeshReplicator(
    (message) => workers.broadcast(message),
    (change) => {
      if (settings.proxyEnabled) certificates.identities.update(mesh.store, change.workloads);
      snapshot?.changed();
    },
  );
  const metrics = new ProcessMetrics(() => workers.collect('none'), workloadNames(mesh), clock, log);
  const release = startup.use(new MemoryRelease(clock));
  const snapshotFile = snapshotFileOf(settings, clock);
  const snapshot =
    snapshotFile &&
    startup.use(
      new MeshSnapshot({
        file: snapshotFile,
        source: () => ({ store: mesh.store, certificates: () => certificates.supply.current }),
        current: () => discovery.current,
        metrics: metrics.snapshot(),
        clock,
        log: log.scope('snapshot'),
      }),
    );
  const discovery: Discovery = startup.use(
    new Discovery({
      settings,
      snapshot,
      onUpdate: (updates) => mesh.apply(updates),
      onSynced() {
        synced = true;
        workers.broadcast({ kind: 'start' });
        stateBlocker[Symbol.dispose]();
        capture?.start();
        release.soon();
      },
      metrics: metrics.xds(),
      clock,
      log: log.scope('xds'),
    }),
  );
  const resolver = new HostnameResolver(systemLookup(settings.ipv6Enabled), clock);

  // Certificates: of the workloads that the mesh puts on this node, from the CA, to the workers.
  const certificates: NodeCertificates = startup.use(
    new NodeCertificates({
      settings,
      snapshot,
      toWorkers: (message) => workers.broadcast(message),
      clock,
      random,
      log,
    }),
  );

  // In shared mode: the pods of the node, from the node agent, to the workers.
  const capture =
    settings.mode === 'shared'
      ? startup.use(
          new Capture({
            settings,
            readiness,
            trustDomain: () => nodeTrustDomain(mesh, settings),
            // Where nothing is carried, nobody asks for a certificate.
            identities: settings.proxyEnabled ? certificates.identities : noIdentities,
            metrics: metrics.pods(),
            onFatal(error) {
              log.error(describeError(error), { code: error.code });
              failure ??= error;
              shutdown(error.code);
              drain.force();
            },
            clock,
            log: log.scope('inpod'),
          }),
        )
      : undefined;

  // The workers, which carry connections and ask for what needs the main thread.
  const answer = (worker: WorkerLink, request: WorkerRequest): void => {
    switch (request.kind) {
      case 'log':
        logOutput.writeFormatted(request.lines);
        break;
      case 'need-certificate':
        certificates.supply.need(worker, request.identity);
        break;
      case 'demand':
        discovery.demand(worker, request.key);
        break;
      case 'resolve':
        resolver.resolve(request.hostname, (name) =>
          worker.post({ kind: 'resolved', id: request.id, ...name }),
        );
        break;
      case 'pod-ready':
      case 'pod-failed':
      case 'pod-gone':
        capture?.pods.onAnswer(worker, request);
        break;
    }
  };
  const workers: DataWorkers = new DataWorkers({
    count: settings.workerThreads,
    spawn: threadSpawner(workerEntry),
    start: (index) => ({
      index,
      settings,
      logLevels: logLevels.toString(),
      logFormat: logOutput.format,
    }),
    introduce(worker) {
      mesh.introduce(worker);
      certificates.introduce(worker);
      capture?.pods.introduce(worker);
      if (synced) worker.post({ kind: 'start' });
    },
    onRequest: answer,
    onServing(serving) {
      if (serving === 0) trafficBlocker ??= blockTraffic();
      else if (serving === settings.workerThreads) {
        trafficBlocker?.dispose();
        trafficBlocker = undefined;
      }
    },
    onGone(worker) {
      discovery.forget(worker);
      capture?.pods.forget(worker);
      metrics.forget(worker);
    },
    clock,
    random,
    log: log.scope('workers'),
  });
  startup.defer(() => workers.stop());

  // What operators see, and the end.
  const drain = new Drain(clock);
  let failure: Error | undefined;
  const shutdown = (reason: string): void => {
    if (drain.phase !== 'running') {
      log.warn('asked again to end: cutting what is left', { reason });
      drain.force();
      return;
    }
    log.info('draining', { reason, deadline: `${settings.drainDeadlineMs}ms` });
    readiness.block('draining');
    drain.trigger(settings.drainDeadlineMs + drainGraceMs);
  };
  const reports = new WorkerReports({
    collect: (connections) => workers.collect(connections),
    absorb: (collected) => metrics.absorb(collected),
    locate: (connections) =>
      localConnections(connections, settings.dedicatedWorkload, capture?.pods.status()),
  });
  const admin = startup.use(
    new AdminListener(
      () =>
        listenAdminServers(settings, {
          actions: {
            connections: () => reports.connections(),
            watchConnections: () => reports.watchConnections(),
            place: {
              store: mesh.store,
              network: settings.place.network,
              selfPorts: [...selfCallPorts(settings)],
              random,
            },
            async configDump() {
              return configDump({
                settings,
                store: mesh.store,
                certificates: certificates.cache.dump(),
                connections: await reports.live(),
                pods: capture?.pods.status(),
                discovery: discovery.status(),
              });
            },
            logLevels,
            logLevelsChanged: (levels) => workers.broadcast({ kind: 'log-levels', levels }),
            quit: () => shutdown('/quitquitquit'),
            clock,
          },
          metrics,
          readiness,
          logger: log.scope('admin'),
        }),
      clock,
      log.scope('admin'),
    ),
  );

  // All at once: threads boot while the CA is opened, the mesh is read and ports are bound.
  workers.start();
  const started = Promise.all([workers.bound, admin.start(), certificates.opening]);
  // Loading the mesh may throw, and nobody would then look at the others.
  started.catch(() => {});
  discovery.start();
  const [ports] = await started;

  const registration = drain.watch({
    onDrain() {
      void capture?.leaveAgent();
      void workers.drain(settings.drainDeadlineMs).then((cut) => {
        if (drain.phase === 'draining') log.info('drained', { connections_cut: cut });
        registration.done();
      });
    },
    onForce: () => void workers.stop(),
  });
  const running = startup.move();
  const ended = drain.finished.then(async (outcome) => {
    await running.disposeAsync();
    log.info('ended', { outcome });
    if (failure !== undefined) throw failure;
    return outcome;
  });
  log.info('serving', settings.proxyEnabled ? { ...ports } : { dns: settings.ports.dns });
  return {
    ports,
    get admin() {
      return admin.servers;
    },
    shutdown,
    ended,
  };
}

/** Names of all workloads, as series have them; gathered anew only when the mesh has changed. */
function workloadNames(mesh: MeshReplicator): () => ReadonlySet<string> {
  let names = new Set<string>();
  let generation = -1;
  return () => {
    if (generation === mesh.generation) return names;
    generation = mesh.generation;
    names = new Set();
    for (const { namespace, workloadName } of mesh.store.allWorkloads())
      names.add(workloadSeriesKey(namespace, workloadName));
    return names;
  };
}

/** Trust domain of this node's pods: that of the mesh, as far as it is known, else that of this process. */
function nodeTrustDomain(mesh: MeshReplicator, { place }: ZtunnelSettings): string {
  for (const { clusterId, trustDomain } of mesh.store.allWorkloads())
    if (clusterId === place.clusterId) return trustDomain;
  return place.trustDomain;
}
