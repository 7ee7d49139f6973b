import { join } from 'node:path';
import type { Progress } from '../report/progress.ts';
import type { Samples } from '../report/run-parts.ts';
import { expectedResources, podPlace } from './cluster/synthetic-cluster.ts';
import type { ClusterShape } from './cluster/synthetic-cluster.ts';
import { figuresOfChanges } from './figures.ts';
import type { Effort } from './options.ts';
import type { ApiProgram, PodChange } from './programs/api.ts';
import type { CertificatesProgram } from './programs/certificates.ts';
import type { StreamsProgram } from './programs/streams.ts';
import { spawnControlPlane } from './rig/control-plane.ts';
import type { ControlPlane } from './rig/control-plane.ts';
import { HelperProcess } from './rig/helper-process.ts';
import type { Program } from './rig/program.ts';
import { startZtunnel } from './rig/ztunnel.ts';
import { clients, rowsOf } from './rows.ts';

/** One cluster that is measured, and everything that was started for it. */
interface Bench {
  readonly shape: ClusterShape;
  /** For files of the run. */
  readonly directory: string;
  readonly api: HelperProcess<ApiProgram>;
  readonly effort: Effort;
  readonly progress: Progress;
  readonly note: (key: string, value: number) => void;
}

interface Served {
  readonly controlPlane: ControlPlane;
  readonly streams: HelperProcess<StreamsProgram>;
}

const nodes = 1000;
const singleChangeMs = 200;
const sustainedMs = 10;
const quietSeconds = 3;
const arrivalDeadlineMs = 30_000;
const certificateAccounts = 500;
/** A node proxy gives back what it used to read its mesh after ten seconds. */
const settleSeconds = 16;

/**
 * Measures everything that is measured at this size.
 *
 * @param directory for files of the run
 * @param samples where figures go: those from before a failure stand
 */
export async function measureCluster(
  pods: number,
  directory: string,
  effort: Effort,
  samples: Samples,
  progress: Progress,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const shape = { pods, nodes };
  const kubeconfig = join(directory, `kubeconfig-${pods}`);
  const api = stack.adopt(new HelperProcess<ApiProgram>('api'), (each) => each.stop());
  progress(`${pods} pods: filling the API`);
  const objects = await api.ask('start', { shape, kubeconfig });
  const bench: Bench = {
    shape,
    directory,
    api,
    effort,
    progress: (text) => progress(`${pods} pods, ${objects} objects: ${text}`),
    note: (key, value) => (samples[key] ??= []).push(value),
  };
  const wanted = new Set(rowsOf(pods).map(({ key }) => key));
  for (let round = 1; round <= effort.rounds; round++) {
    bench.progress(`start ${round} of ${effort.rounds}`);
    await using served = await start(bench, kubeconfig);
    if (round < effort.rounds) continue;
    if (wanted.has('changeP99')) await measureServing(bench, served);
    if (wanted.has('certificates')) await measureCertificates(bench, served);
    if (wanted.has('proxyMemory')) await measureProxy(bench, served);
  }
}

async function start({ shape, note }: Bench, kubeconfig: string): Promise<Served & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const streams = stack.adopt(new HelperProcess<StreamsProgram>('streams'), (each) => each.stop());
  await streams.ask('ended', undefined); // it has started
  const controlPlane = await spawnControlPlane(kubeconfig);
  const { program, plaintext } = controlPlane;
  stack.defer(() => program.stop());
  const wholeMs = await program.while(
    streams.ask('connect', { address: plaintext, clients: 1, ...expectedResources(shape) }),
  );
  const { cpuSeconds, rssBytes } = program.usage();
  note('firstPush', (wholeMs - program.spawnedMs) / 1000);
  note('firstPushCpu', cpuSeconds);
  note('startMemory', rssBytes / 1e6);
  const owned = stack.move();
  return { controlPlane, streams, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function measureServing(bench: Bench, { controlPlane, streams }: Served): Promise<void> {
  const { shape, effort, progress, note } = bench;
  const { program, plaintext } = controlPlane;
  progress(`${clients} clients`);
  const beforeMs = Date.now();
  const wholeMs = await program.while(
    streams.ask('connect', { address: plaintext, clients: clients - 1, ...expectedResources(shape) }),
  );
  note('allClients', (wholeMs - beforeMs) / 1000);

  progress('idle');
  await seconds(quietSeconds);
  const idle = program.usage();
  await program.while(seconds(effort.idleSeconds));
  note('idleCpu', (100 * (program.usage().cpuSeconds - idle.cpuSeconds)) / effort.idleSeconds);

  progress('changes, one at a time');
  const single = await change(bench, streams, program, {
    from: 1,
    count: effort.singleChanges,
    everyMs: singleChangeMs,
  });
  note('changeP99', single.latencyMs.p99);
  note('changeP50', single.latencyMs.p50);

  progress(`100 changes a second for ${effort.sustainedSeconds} s`);
  const cpu = program.usage().cpuSeconds;
  const sustained = await change(bench, streams, program, {
    from: effort.singleChanges + 1,
    count: (effort.sustainedSeconds * 1000) / sustainedMs,
    everyMs: sustainedMs,
  });
  note('sustainedRate', sustained.rate);
  note('sustainedP99', sustained.latencyMs.p99);
  note('backlogGrowth', sustained.backlogGrowth);
  note('sustainedCpu', (100 * (program.usage().cpuSeconds - cpu)) / effort.sustainedSeconds);
  note('peakMemory', program.usage().peakRssBytes / 1e6);
  const ended = await streams.ask('ended', undefined);
  if (ended.length > 0) throw new Error(`${ended.length} streams have ended: ${ended[0]}`);
}

async function change(
  { api }: Bench,
  streams: HelperProcess<StreamsProgram>,
  program: Program,
  changes: { readonly from: number; readonly count: number; readonly everyMs: number },
): Promise<ReturnType<typeof figuresOfChanges>> {
  const made: PodChange[] = await program.while(api.ask('change', changes));
  const revisions = made.map(({ revision }) => revision);
  const deadline = performance.now() + arrivalDeadlineMs;
  for (;;) {
    const arrivals = await streams.ask('arrivals', { revisions });
    // A pod that was changed again before a push shows only its later state: what lacks clients then counts as late.
    if (arrivals.every((arrival) => arrival.clients >= clients) || performance.now() > deadline)
      return figuresOfChanges(made, arrivals, clients);
    await seconds(0.2);
  }
}

async function measureCertificates({ api, effort, progress, note }: Bench, served: Served): Promise<void> {
  const { program, secure } = served.controlPlane;
  await using callers = new HelperProcess<CertificatesProgram>('certificates');
  const accounts = await api.ask('tokens', { count: certificateAccounts });
  progress('certificates');
  // The first of each account asks the API who it is; that is kept.
  await program.while(callers.ask('request', { address: secure, accounts, requests: 1 }));
  const before = program.usage().cpuSeconds;
  const startMs = performance.now();
  const requests = effort.certificatesPerAccount;
  const issued = await program.while(callers.ask('request', { address: secure, accounts, requests }));
  note('certificates', issued / (program.usage().cpuSeconds - before));
  note('certificatesRate', (1000 * issued) / (performance.now() - startMs));
}

async function measureProxy(
  { api, shape, directory, progress, note }: Bench,
  { controlPlane }: Served,
): Promise<void> {
  const pod = podPlace(shape, 0);
  progress('ztunnel with an empty mesh');
  await startZtunnel(pod, '', directory, () => Promise.resolve(0)); // compiles what has changed
  const empty = await startZtunnel(pod, '', directory, settledMemory);
  progress('ztunnel with this mesh');
  const whole = await startZtunnel(pod, controlPlane.plaintext, directory, async (program) => {
    // As in any cluster, pods change: the gRPC library keeps the pieces of a message until the next one comes.
    await api.ask('change', { from: 1, count: 5, everyMs: singleChangeMs });
    return settledMemory(program);
  });
  note('proxyMemory', (whole.bytes - empty.bytes) / 1e6);
  note('proxySeconds', whole.seconds - empty.seconds);
  note('proxyCpu', whole.cpuSeconds - empty.cpuSeconds);
}

/** The least of some seconds: what is in use, without garbage that waits to be collected. */
async function settledMemory(program: Program): Promise<number> {
  let least = Infinity;
  for (let sample = 0; sample < settleSeconds; sample++) {
    await seconds(1);
    least = Math.min(least, program.usage().anonymousBytes);
  }
  return least;
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
