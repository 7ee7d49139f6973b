import { readFileSync } from 'node:fs';
import type { LogEntry } from '../../../test/netns/harness/index.ts';
import type { AppProcess } from '../cluster/app-process.ts';
import type { TourPod } from '../cluster/tour-pod.ts';
import type { Report, Step } from '../report.ts';
import { CATALOG, FEED_PORT, manifestPath, PRICE_PORT, until } from '../scene.ts';
import type { ChangeTimes, Scene } from '../scene.ts';
import { logWords, seconds } from './words.ts';

/** A policy that bites must bite soon: milliseconds from the API's word of it. */
const WITHIN_MS = 1000;
/** Then nothing comes any more. Generous: whether it was soon is told by the time that it took. Milliseconds. */
const GIVE_UP_MS = 30_000;
/** Long enough for some probes of the catalog, which come every second, and for one that is not answered. Milliseconds. */
const PROBED_MS = 4500;

/** Policies as they are written for any cluster, applied while connections are open. */
export function policySteps(scene: () => Scene): readonly Step[] {
  return [
    { title: 'A policy that demands mutual TLS', run: (report) => demandTls(scene(), report) },
    { title: 'A policy that allows one caller', run: (report) => allowOneCaller(scene(), report) },
    { title: 'A policy that denies, while connected', run: (report) => denyWhileOpen(scene(), report) },
  ];
}

async function demandTls(scene: Scene, report: Report): Promise<string> {
  const { intruder, checkout } = scene;
  const call = await openCall(scene, report, intruder);
  const [before, failedBefore] = await Promise.all([scene.askPrice(intruder), failedProbes(scene)]);
  report.say(
    `${intruder.title} is not in the mesh. In plain text it is answered, and it holds a connection to the catalog's feed open, ` +
      'on which it talks. Meanwhile, for the namespace shop:',
  );
  const { cut, took, since } = await cutBy(scene, report, 'strict', call);
  const strictMs = performance.now();
  report.check(before.status === 200, `before it, plain text was answered: ${before.status}`);
  report.check(
    took <= WITHIN_MS,
    `the open connection in plain text was cut ${seconds(took)} after the API had the policy, ${since} (${cut})`,
  );
  await showRefusal(scene, report, { 'src.addr': new RegExp(`^${intruder.ip.replaceAll('.', '\\.')}:`) });
  const [plain, tunnelled] = await Promise.all([scene.askPrice(intruder), scene.askPrice(checkout)]);
  report.check(
    plain.status === 0,
    `plain text from ${intruder.title} gets no further: ${plain.status === 0 ? ended(plain.error) : plain.status}`,
  );
  report.check(
    tunnelled.status === 200,
    `what comes by mutual TLS goes on: ${checkout.title} gets ${tunnelled.error ?? tunnelled.status}`,
  );
  report.progress('taking the guest into the mesh');
  const { shown } = await scene.setMesh(['guest'], true);
  const inMesh = await scene.askPrice(intruder);
  report.block([shown]);
  report.check(
    inMesh.status === 200,
    `in the mesh, ${intruder.title} is answered, by its certificate: ${inMesh.error ?? inMesh.status}`,
  );
  await checkProbes(scene, report, strictMs, failedBefore);
  return `plain text cut in ${seconds(took)}`;
}

/** @param strictMs since when, on the clock of `performance.now()` @param failedBefore probes of the catalog until then */
async function checkProbes(
  scene: Scene,
  report: Report,
  strictMs: number,
  failedBefore: number,
): Promise<void> {
  const { catalog } = scene;
  report.progress('waiting for probes');
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, strictMs + PROBED_MS - performance.now())));
  const failed = (await failedProbes(scene)) - failedBefore;
  const now = (await scene.current()).find(({ metadata }) => metadata.name === catalog.name);
  report.check(
    failed === 0 &&
      now?.status?.containerStatuses?.every(({ ready, restartCount }) => ready && restartCount === 0) ===
        true,
    `the kubelet's probes of ${catalog.title}, in plain text every second, go on: ${failed} have failed since`,
  );
}

/** Probes of the catalog that have failed so far, of which the kubelet records Events. */
async function failedProbes({ cluster, catalog }: Scene): Promise<number> {
  const { items } = await cluster.client.request<{
    readonly items: readonly {
      readonly reason?: string;
      readonly count?: number;
      readonly involvedObject: { readonly name: string };
    }[];
  }>({ path: `/api/v1/namespaces/${catalog.namespace}/events` });
  return items
    .filter(({ reason, involvedObject }) => reason === 'Unhealthy' && involvedObject.name === catalog.name)
    .reduce((sum, { count = 1 }) => sum + count, 0);
}

async function allowOneCaller(scene: Scene, report: Report): Promise<string> {
  const { checkout, intruder, catalog } = scene;
  report.progress('asking before and after the policy');
  const before = await scene.askPrice(intruder);
  report.say('Mutual TLS says who calls; so far everybody in the mesh may. For the namespace shop:');
  await applied(scene, report, 'only-checkout');
  report.check(before.status === 200, `before it, ${intruder.title} was answered: ${before.status}`);
  const [allowed, refused] = await Promise.all([scene.askPrice(checkout), scene.askPrice(intruder)]);
  report.check(
    allowed.status === 200,
    `${checkout.title} is still answered: ${allowed.error ?? allowed.status}`,
  );
  report.check(
    refused.status === 0,
    `${intruder.title} is not: ${refused.status === 0 ? ended(refused.error) : refused.status}`,
  );
  const line = await scene.proxyOf(catalog).waitForAccess({
    direction: 'inbound',
    'dst.hbone_addr': `${catalog.ip}:${PRICE_PORT}`,
    'src.workload': intruder.name,
    'src.identity': intruder.identity,
    reason: 'policy-denied',
  });
  report.say("The ztunnel of the catalog's node says why:");
  showLog(scene, report, line);
  return `${checkout.app} passes, ${intruder.app} is refused`;
}

async function denyWhileOpen(scene: Scene, report: Report): Promise<string> {
  const { checkout } = scene;
  const call = await openCall(scene, report, checkout);
  report.say(
    `${checkout.title} has a connection open to the catalog's feed, ${CATALOG}:${FEED_PORT}, and talks on it. Meanwhile:`,
  );
  const { cut, took, since } = await cutBy(scene, report, 'close-feed', call);
  report.check(
    took <= WITHIN_MS,
    `the open connection was cut ${seconds(took)} after the API had the policy, ${since} (${cut})`,
  );
  await showRefusal(scene, report, { 'src.identity': checkout.identity });
  const price = await scene.askPrice(checkout);
  report.check(
    price.status === 200,
    `what the policy does not name goes on: port ${PRICE_PORT} answers ${price.error ?? price.status}`,
  );
  await scene.policyHeld('shop/close-feed');
  const admitted = await admittedWithout(scene, report, 'close-feed', checkout);
  report.check(
    admitted.refusedBefore && admitted.took <= WITHIN_MS,
    `a client that kept trying was let in ${seconds(admitted.took)} after the API had that, ${admitted.since}`,
  );
  return `cut in ${seconds(took)}, let in again in ${seconds(admitted.took)}`;
}

/** How soon a change showed in traffic. */
interface Effect {
  /** Milliseconds from the API's word of the change. */
  readonly took: number;
  /** The same from the start of kubectl, or of the request, for people. */
  readonly since: string;
}

function effectAt(atMs: number, { startedMs, toldMs }: ChangeTimes, { operator }: Scene): Effect {
  const began = operator.kubectl === undefined ? 'the request was sent' : 'kubectl was started';
  // The API tells its watchers one after the other: the mesh may have acted before the tour hears of it.
  return {
    took: Math.max(0, atMs - toldMs),
    since: `${seconds(atMs - startedMs)} after ${began}`,
  };
}

async function openCall(scene: Scene, report: Report, from: TourPod): Promise<AppProcess> {
  report.progress('opening a connection');
  const call = scene.startCall(from);
  await call.waitForLine(/^open$/);
  return call;
}

/** Shows a manifest and the command, applies it, and tells how long the API's word took to end the call, and how. */
async function cutBy(
  scene: Scene,
  report: Report,
  manifest: string,
  call: AppProcess,
): Promise<Effect & { readonly cut: string }> {
  showManifest(scene, report, manifest);
  const cutAt = call.waitForLine(/^cut /, GIVE_UP_MS).then((line) => ({ line, at: performance.now() }));
  // Both have to come; a change that fails says more than a call that was not cut.
  cutAt.catch(() => undefined);
  const times = await scene.change('apply', manifest);
  const { line, at } = await cutAt;
  return { cut: line.slice('cut '.length), ...effectAt(at, times, scene) };
}

async function applied(scene: Scene, report: Report, manifest: string): Promise<void> {
  showManifest(scene, report, manifest);
  await scene.change('apply', manifest);
  await scene.policyHeld(`shop/${manifest}`);
}

async function admittedWithout(
  scene: Scene,
  report: Report,
  manifest: string,
  from: TourPod,
): Promise<Effect & { readonly refusedBefore: boolean }> {
  const proxy = scene.proxyOf(scene.catalog);
  const refusals = async (): Promise<number> =>
    (await proxy.log()).filter(({ scope, reason }) => scope === 'access' && reason === 'policy-denied')
      .length;
  const before = await refusals();
  const call = scene.startCall(from);
  await until('a new connection was not refused', async () => (await refusals()) > before);
  const refusedBefore = !call.lines.includes('open');
  report.block([scene.describeChange('delete', manifest)]);
  const opened = call.waitForLine(/^open$/, GIVE_UP_MS).then(() => performance.now());
  opened.catch(() => undefined);
  const times = await scene.change('delete', manifest);
  return { ...effectAt(await opened, times, scene), refusedBefore };
}

function showManifest(scene: Scene, report: Report, manifest: string): void {
  const { style } = report;
  const lines = readFileSync(manifestPath(manifest), 'utf8').trimEnd().split('\n');
  report.block(
    lines.map((line) => {
      const [, key = '', rest = ''] = /^([^:]*:)(.*)$/.exec(line) ?? [];
      return key === '' ? line : `${style.dim(key)}${rest}`;
    }),
  );
  report.block([scene.describeChange('apply', manifest)]);
}

/** The log of a connection to the catalog that a policy has ended. */
async function showRefusal(
  scene: Scene,
  report: Report,
  match: Readonly<Record<string, string | RegExp>>,
): Promise<void> {
  const line = await scene
    .proxyOf(scene.catalog)
    .waitForAccess({ direction: 'inbound', reason: 'policy-changed', ...match });
  showLog(scene, report, line);
}

function showLog(scene: Scene, report: Report, line: LogEntry): void {
  const { node } = scene.proxyOf(scene.catalog);
  report.hanging(`the ztunnel of ${report.style.bold(node)} logs`, logWords(line, report.style));
}

function ended(error: string | null): string {
  return `its connection ends with ${error ?? 'nothing'}`;
}
