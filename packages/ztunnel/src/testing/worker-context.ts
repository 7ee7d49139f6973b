import type { HboneSettings } from '@ambient/hbone';
import { HboneError, HbonePool, defaultHboneSettings } from '@ambient/hbone';
import type { TestIdentities } from '@ambient/hbone/testing';
import { testReactor } from '@ambient/hbone/testing';
import { nothingRevoked } from '@ambient/identity/peer';
import type { RevocationSet } from '@ambient/identity/peer';
import type { Reactor } from '@ambient/linux';
import { MeshStore } from '@ambient/mesh';
import type { LogFields, SeriesDelta } from '@ambient/runtime';
import { CounterTable, LogLevels, Logger } from '@ambient/runtime';
import { ConnectionMetrics } from '../connections/connection-metrics.ts';
import { LiveConnections } from '../connections/live-connections.ts';
import { metricDefinitions } from '../telemetry/metric-definitions.ts';
import { CaptureProof } from '../worker/capture-proof.ts';
import { CertificateStore } from '../worker/certificate-store.ts';
import type { WorkerContext } from '../worker/context.ts';
import type { FromWorker } from '../worker/messages.ts';
import { dedicatedSettings } from './dedicated-settings.ts';

/** A line that a worker would have logged. */
export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** What a worker has around its connections, on a reactor that the test turns. */
export interface TestWorker extends WorkerContext {
  readonly lines: readonly LoggedLine[];
  readonly posted: readonly FromWorker[];
  revoked: RevocationSet;
  metrics(): SeriesDelta[];
  close(): void;
}

export interface TestWorkerOptions {
  readonly env?: Record<string, string>;
  readonly hbone?: Partial<HboneSettings>;
  readonly logLevel?: string;
}

export async function testWorker(options: TestWorkerOptions = {}): Promise<TestWorker> {
  const env = { ENABLE_ORIG_SRC: 'false', ...options.env };
  const settings = await dedicatedSettings(env);
  const reactor: Reactor = testReactor();
  const hbone = { ...defaultHboneSettings, ...options.hbone };
  const lines: LoggedLine[] = [];
  const posted: FromWorker[] = [];
  const post = (message: FromWorker): void => void posted.push(message);
  const sink = {
    write: (level: string, _scope: string, message: string, fields: LogFields | undefined): void => {
      lines.push({ level, message, fields: fields ?? {} });
    },
  };
  const log = new Logger(new LogLevels(options.logLevel ?? 'info', 'ztunnel'), sink, 'proxy');
  const counters = new CounterTable(metricDefinitions);
  let traces = 0;
  const pool = new HbonePool(reactor, hbone, undefined);
  const certificates = new CertificateStore(post, {}, (error) => {
    throw error as Error;
  });
  const connections = new LiveConnections(new ConnectionMetrics(counters), log.scope('access'), Date.now);
  return {
    reactor,
    settings,
    hbone,
    keepAlive: undefined,
    store: new MeshStore(),
    certificates,
    pool,
    connections,
    captureProof: new CaptureProof({ namespace: 'default', name: 'pod', serviceAccount: 'default' }),
    log,
    policyLog: log.scope('policy'),
    dns: undefined,
    selfPorts: [15001, 15006, 15008],
    revocations(this: TestWorker) {
      return this.revoked;
    },
    revoked: nothingRevoked,
    resolve: () => undefined,
    demand: (_, use) => {
      use();
    },
    traceparent: () => `00-${'a'.repeat(32)}-${(++traces).toString(16).padStart(16, '0')}-00`,
    baggageOf: (workload) => `k8s.workload=${workload.name}`,
    dialOptions: {},
    countOnDemandDns: () => undefined,
    countRevoked: () => undefined,
    lines,
    posted,
    metrics: () => {
      connections.reportBytes();
      return counters.drainDeltas(0);
    },
    close: () => {
      connections.cutAll(new HboneError('shut-down', 'the test is over'));
      pool.close();
      certificates.close();
      reactor.close();
    },
  };
}

/** Hands a worker the certificates of the test's CA. */
export function giveCertificate(worker: TestWorker, identities: TestIdentities, spiffeId: string): void {
  worker.certificates.set(spiffeId, identities.material(spiffeId));
}
