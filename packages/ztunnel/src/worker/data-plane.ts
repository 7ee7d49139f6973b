import { defaultHboneSettings, encodeBaggage, traceparentOf } from '@ambient/hbone';
import type { HboneSettings } from '@ambient/hbone';
import type { RevocationSet } from '@ambient/identity/peer';
import { nothingRevoked } from '@ambient/identity/peer';
import type { KeepAlive } from '@ambient/linux';
import { Reactor, Timer, machineId } from '@ambient/linux';
import type { Workload } from '@ambient/mesh';
import { MeshStore, UpdateUnpacker } from '@ambient/mesh';
import { CounterTable, LineBatch, LogLevels, Logger, describeError, logTimeMs } from '@ambient/runtime';
import { randomFillSync } from 'node:crypto';
import { ConnectionMetrics } from '../connections/connection-metrics.ts';
import type { ZtunnelSettings } from '../settings.ts';
import { openDns } from '../dns/open-dns.ts';
import { releaseAfterReading } from '../release-memory.ts';
import { selfCallPorts } from '../settings.ts';
import { sourceLabels } from '../telemetry/connection-labels.ts';
import { metricDefinitions, metricNames } from '../telemetry/metric-definitions.ts';
import { CertificateStore } from './certificate-store.ts';
import type { SharedContext } from './context.ts';
import { DescriptorBudget } from './descriptor-budget.ts';
import type { CollectedConnections, FromWorker, ToWorker, WorkerStart } from './messages.ts';
import { PodCaptures } from './pod-captures.ts';
import { trafficPorts } from './traffic-listeners.ts';
import { Questions } from './questions.ts';

/** Log lines gather for at most this long before they are posted to the main thread. */
const LOG_FLUSH_MS = 50;
/** Of the process, for what is no pod's: Node.js, namespaces of pods, the control plane, operators. */
const OWN_DESCRIPTORS = 1000;
const TRACE_BYTES = 24;
/** Series that nobody has touched for this long are forgotten here; the main thread keeps its totals. */
const IDLE_SERIES_MS = 10 * 60_000;

function hboneSettings(settings: ZtunnelSettings): HboneSettings {
  return {
    ...defaultHboneSettings,
    streamWindowBytes: settings.http2.streamWindow,
    connectionWindowBytes: settings.http2.connectionWindow,
    maxFrameBytes: settings.http2.frameSize,
    maxTunnelsPerConnection: settings.pool.maxStreamsPerConnection,
    idleReleaseMs: settings.pool.unusedReleaseMs,
    machineId: machineId(),
  };
}

function keepAliveOf(settings: ZtunnelSettings): KeepAlive | undefined {
  const { keepalive } = settings.socket;
  if (keepalive === undefined) return undefined;
  return {
    idleSeconds: Math.ceil(keepalive.timeMs / 1000),
    intervalSeconds: Math.ceil(keepalive.intervalMs / 1000),
    probes: keepalive.retries,
    userTimeoutMs: settings.socket.userTimeoutEnabled
      ? keepalive.timeMs + keepalive.intervalMs * keepalive.retries
      : undefined,
  };
}

/** A pod that has the proxy to itself may have all that the process has. */
function descriptorBudget({
  mode,
  descriptors,
  workerThreads,
}: ZtunnelSettings): DescriptorBudget | undefined {
  if (mode === 'dedicated') return undefined;
  const { limit, perPod } = descriptors;
  const left = Math.max(limit - OWN_DESCRIPTORS, limit / 2);
  return new DescriptorBudget(Math.floor(left / workerThreads), perPod);
}

/** Everything that one data worker has: a reactor, a replica of the mesh, and its pods. */
export class DataPlane {
  readonly reactor: Reactor;
  readonly #settings: ZtunnelSettings;
  readonly #post: (message: FromWorker) => void;
  readonly #store = new MeshStore({ shared: true });
  readonly #unpacker = new UpdateUnpacker();
  readonly #levels: LogLevels;
  readonly #lines: LineBatch;
  readonly #log: Logger;
  readonly #counters = new CounterTable(metricDefinitions);
  readonly #certificates: CertificateStore;
  readonly #questions: Questions;
  readonly #pods: PodCaptures;
  #revocations: RevocationSet = nothingRevoked;
  readonly #baggage = new WeakMap<Workload, string>();
  readonly #traceBytes = Buffer.alloc(TRACE_BYTES * 128);
  #traceOffset = this.#traceBytes.length;
  readonly #logTimer = new Timer(() => {
    this.#flushLog();
  });

  constructor(start: Omit<WorkerStart, 'descriptors'>, post: (message: FromWorker) => void) {
    const { settings } = start;
    this.#settings = settings;
    this.#post = post;
    this.#levels = new LogLevels(start.logLevels, 'ztunnel');
    this.#lines = new LineBatch(start.logFormat);
    this.#log = new Logger(this.#levels, this.#batchingSink(), 'proxy');
    this.reactor = new Reactor((error) => {
      this.#log.log('error', 'a defect in a timer', { error: describeError(error) });
    });
    const onFault = (error: unknown): void => {
      this.#log.log('error', 'a defect ended a connection that waited', { error: describeError(error) });
    };
    const tls = {
      allowTls12: settings.tls.tls12Enabled,
      postQuantumOnly: settings.tls.compliancePolicy === 'pqc',
    };
    this.#certificates = new CertificateStore(post, tls, (error) => {
      this.#log.log('error', 'a certificate cannot be used, or a connection that waited for it failed', {
        error: describeError(error),
      });
    });
    const hbone = hboneSettings(settings);
    const keepAlive = keepAliveOf(settings);
    this.#questions = new Questions(
      this.reactor,
      this.#store,
      post,
      settings.place.network,
      settings.xds.onDemand && settings.xds.address !== undefined,
      onFault,
    );
    const shared: SharedContext = {
      settings,
      hbone,
      keepAlive,
      store: this.#store,
      certificates: this.#certificates,
      log: this.#log,
      policyLog: this.#log.scope('policy'),
      revocations: () => this.#revocations,
      dns: openDns(settings, this.#store, this.#counters, this.#log.scope('dns')),
      selfPorts: [...selfCallPorts(settings)],
      resolve: (hostname, use) => {
        this.#questions.resolve(hostname, use);
      },
      demand: (destination, use) => {
        this.#questions.demand(destination, use);
      },
      traceparent: () => this.#traceparent(),
      baggageOf: (workload) => this.#baggageOf(workload),
      countOnDemandDns: (source, hostname) => {
        const labels = [...sourceLabels(source), hostname];
        this.#counters.handle(metricNames.onDemandDns, labels).add(1);
      },
      countRevoked: (reporter) => {
        this.#counters.handle(metricNames.crlRejections, [reporter]).add(1);
      },
    };
    this.#pods = new PodCaptures({
      reactor: this.reactor,
      shared,
      metrics: new ConnectionMetrics(this.#counters),
      descriptors: descriptorBudget(settings),
      accessLog: this.#log.scope('access'),
      onFault,
      post,
    });
    this.#listen();
  }

  /** Lines gather in a batch, which is posted a little later in one message. */
  #batchingSink(): { write: LineBatch['write'] } {
    return {
      write: (...line) => {
        if (this.#lines.empty) this.reactor.setTimer(this.#logTimer, LOG_FLUSH_MS);
        this.#lines.write(...line);
      },
    };
  }

  #flushLog(): void {
    if (!this.#lines.empty) this.#post({ kind: 'log', lines: this.#lines.take(logTimeMs()) });
  }

  /** Dedicated mode: binds the ports of its one pod. Shared mode: tells the ports that all pods will have. */
  #listen(): void {
    const { dedicatedWorkload, place } = this.#settings;
    const bound =
      dedicatedWorkload === undefined
        ? trafficPorts(this.#settings)
        : this.#pods.addOwn({ name: dedicatedWorkload, node: place.nodeName });
    this.#post({ kind: 'bound', ports: bound });
  }

  #traceparent(): string {
    if (this.#traceOffset === this.#traceBytes.length) {
      randomFillSync(this.#traceBytes);
      this.#traceOffset = 0;
    }
    const from = this.#traceOffset;
    this.#traceOffset += TRACE_BYTES;
    return traceparentOf(this.#traceBytes, from);
  }

  #baggageOf(workload: Workload): string {
    let baggage = this.#baggage.get(workload);
    if (baggage === undefined) {
      baggage = encodeBaggage({
        cluster: workload.clusterId,
        namespace: workload.namespace,
        workloadType: workload.workloadType,
        workloadName: workload.workloadName,
        serviceName: workload.canonicalName,
        serviceVersion: workload.canonicalRevision,
        region: workload.locality.region,
        zone: workload.locality.zone,
      });
      this.#baggage.set(workload, baggage);
    }
    return baggage;
  }

  /** Takes a message of the main thread. @returns false when the worker is to end */
  onMessage(message: ToWorker): boolean {
    switch (message.kind) {
      case 'mesh':
        this.#pods.onMeshChange(this.#store.apply(this.#unpacker.unpack(message.updates)));
        break;
      case 'start':
        releaseAfterReading(this.#store.workloadCount);
        this.#pods.start();
        break;
      case 'add-pod':
        this.#pods.add(message.pod);
        break;
      case 'remove-pod':
        this.#pods.remove(message.id, message.deadlineMs);
        break;
      case 'certificate':
        this.#certificates.set(message.identity, message.material);
        break;
      case 'certificate-failed':
        this.#certificates.fail(message.identity, message.message);
        break;
      case 'revocations':
        this.#revocations = message.revocations;
        this.#pods.recheckRevocations();
        break;
      case 'log-levels':
        this.#levels.replace(message.levels);
        break;
      case 'collect':
        this.#collect(message.id, message.connections);
        break;
      case 'resolved':
        this.#questions.onResolved(message.id, message.addresses, message.error);
        break;
      case 'demanded':
        this.#questions.onDemanded(message.key);
        break;
      case 'drain':
        this.#drain(message.deadlineMs);
        break;
      case 'stop':
        this.#stop();
        return false;
    }
    return true;
  }

  #collect(id: number, connections: CollectedConnections): void {
    this.#pods.reportBytes();
    const nowMs = Date.now();
    const series = this.#counters.drainDeltas(nowMs);
    this.#counters.forgetIdle(nowMs - IDLE_SERIES_MS);
    this.#post({
      kind: 'collected',
      id,
      series,
      connections: connections === 'none' ? [] : this.#pods.reports(),
      ended: connections === 'ended-too' ? this.#pods.takeEnded() : [],
    });
  }

  #drain(deadlineMs: number): void {
    this.#pods.drain(deadlineMs, (cut) => {
      this.#flushLog();
      this.#post({ kind: 'drained', cut });
    });
  }

  #stop(): void {
    this.#pods.close();
    this.#certificates.close();
    this.#flushLog();
    this.reactor.close();
  }
}
