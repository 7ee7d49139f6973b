import { readFileSync } from 'node:fs';
import type { LabProcess } from '@ambient/testkit/lab';
import type { LogEntry } from '../../../test/netns/harness/index.ts';
import type { Report, Step } from '../report.ts';
import { FEED_ADDRESS, FEED_PORT, manifestPath, podName, PRICE_PORT, spiffeId } from '../scene.ts';
import type { ChangeTimes, Scene } from '../scene.ts';
import { logWords, seconds } from './words.ts';

/** A policy that bites must bite soon: milliseconds from the API's word of it. */
const WITHIN_MS = 1000;

/** Policies as they are written for any cluster, applied while connections are open. */
export function policySteps(scene: () => Scene): readonly Step[] {
  return [
    { title: 'A policy that demands mutual TLS', run: (report) => demandTls(scene(), report) },
    { title: 'A policy that allows one caller', run: (report) => allowOneCaller(scene(), report) },
    { title: 'A policy that denies, while connected', run: (report) => denyWhileOpen(scene(), report) },
  ];
}

async function demandTls(scene: Scene, report: Report): Promise<string> {
  const { intruder, catalog, checkout } = scene;
  report.progress('taking a pod out of the mesh');
  await scene.setCapture(false, [intruder]);
  const call = await openCall(scene, report, () => scene.startCall(intruder, catalog.ipv4));
  const before = await scene.askPrice(intruder);
  report.say(
    `${podName(intruder)} leaves the mesh: its redirection is taken out. In plain text it is still answered, and it holds ` +
      `a connection to ${catalog.ipv4}:${FEED_PORT} open, on which it talks. Meanwhile:`,
  );
  const { cut, took, since } = await cutBy(scene, report, 'strict', call);
  report.check(before.status === 200, `before it, plain text was answered: ${before.status}`);
  report.check(
    took <= WITHIN_MS,
    `the open connection in plain text was cut ${seconds(took)} after the API had the policy, ${since} (${cut})`,
  );
  await showRefusal(scene, report, { 'src.addr': new RegExp(`^${intruder.ipv4.replaceAll('.', '\\.')}:`) });
  const [plain, tunnelled] = await Promise.all([scene.askPrice(intruder), scene.askPrice(checkout)]);
  report.check(
    plain.status === 0,
    `plain text from ${podName(intruder)} gets no further: ${plain.status === 0 ? ended(plain.error) : plain.status}`,
  );
  report.check(
    tunnelled.status === 200,
    `what comes by mutual TLS goes on: ${podName(checkout)} gets ${tunnelled.error ?? tunnelled.status}`,
  );
  report.progress('taking the pod into the mesh again');
  await scene.setCapture(true, [intruder]);
  const again = await scene.askPrice(intruder);
  report.check(
    again.status === 200,
    `back in the mesh, ${podName(intruder)} is answered again, by its certificate: ${again.error ?? again.status}`,
  );
  return `plain text cut in ${seconds(took)}`;
}

async function allowOneCaller(scene: Scene, report: Report): Promise<string> {
  const { checkout, intruder, catalog } = scene;
  report.progress('asking before and after the policy');
  const before = await scene.askPrice(intruder);
  report.say('Mutual TLS says who calls; so far everybody in the mesh may. For the namespace shop:');
  await applied(scene, report, 'only-checkout');
  report.check(before.status === 200, `before it, ${podName(intruder)} was answered: ${before.status}`);
  const [allowed, refused] = await Promise.all([scene.askPrice(checkout), scene.askPrice(intruder)]);
  report.check(
    allowed.status === 200,
    `${podName(checkout)} is still answered: ${allowed.error ?? allowed.status}`,
  );
  report.check(
    refused.status === 0,
    `${podName(intruder)} is not: ${refused.status === 0 ? ended(refused.error) : refused.status}`,
  );
  const line = await catalog.waitForAccess({
    direction: 'inbound',
    'dst.hbone_addr': `${catalog.ipv4}:${PRICE_PORT}`,
    'src.workload': intruder.name,
    'src.identity': spiffeId(intruder),
    reason: 'policy-denied',
  });
  report.say("The catalog's proxy says why:");
  showLog(scene, report, line);
  return `${checkout.name} passes, ${intruder.name} is refused`;
}

async function denyWhileOpen(scene: Scene, report: Report): Promise<string> {
  const { checkout } = scene;
  const call = await openCall(scene, report, () => scene.startCall(checkout));
  report.say(
    `${podName(checkout)} has a connection open to the catalog's feed, by its Service at ${FEED_ADDRESS}:${FEED_PORT}, ` +
      'and talks on it. Meanwhile:',
  );
  const { cut, took, since } = await cutBy(scene, report, 'close-feed', call);
  report.check(
    took <= WITHIN_MS,
    `the open connection was cut ${seconds(took)} after the API had the policy, ${since} (${cut})`,
  );
  await showRefusal(scene, report, { 'src.identity': spiffeId(checkout) });
  const price = await scene.askPrice(checkout);
  report.check(
    price.status === 200,
    `what the policy does not name goes on: port ${PRICE_PORT} answers ${price.error ?? price.status}`,
  );
  await scene.policyHeld('shop/close-feed');
  const admitted = await admittedWithout(scene, report, 'close-feed', () => scene.startCall(checkout));
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

function effectAt(atMs: number, { startedMs, toldMs }: ChangeTimes, { cluster }: Scene): Effect {
  const began = cluster.operator.kubectl === undefined ? 'the request was sent' : 'kubectl was started';
  // The API tells its watchers one after the other: the mesh may have acted before the tour hears of it.
  return {
    took: Math.max(0, atMs - toldMs),
    since: `${seconds(atMs - startedMs)} after ${began}`,
  };
}

async function openCall(scene: Scene, report: Report, start: () => Promise<LabProcess>): Promise<LabProcess> {
  report.progress('opening a connection');
  const call = await start();
  await call.waitForLine(/^open$/);
  return call;
}

/** Shows a manifest and the command, applies it, and tells how long the API's word took to end the call, and how. */
async function cutBy(
  scene: Scene,
  report: Report,
  manifest: string,
  call: LabProcess,
): Promise<Effect & { readonly cut: string }> {
  showManifest(scene, report, manifest);
  const cutAt = call.waitForLine(/^cut /, WITHIN_MS * 8).then((line) => ({ line, at: performance.now() }));
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
  start: () => Promise<LabProcess>,
): Promise<Effect & { readonly refusedBefore: boolean }> {
  const refusals = (): number =>
    scene.catalog.log().filter(({ scope, reason }) => scope === 'access' && reason === 'policy-denied')
      .length;
  const before = refusals();
  const call = await start();
  await scene.catalog.proxy.waitFor(() => refusals() > before || undefined, 'refusal of the new connection');
  const refusedBefore = !call.lines.includes('open');
  report.block([scene.describeChange('delete', manifest)]);
  const opened = call.waitForLine(/^open$/, WITHIN_MS * 8).then(() => performance.now());
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

/** The catalog's log of a connection that a policy has ended. */
async function showRefusal(
  scene: Scene,
  report: Report,
  match: Readonly<Record<string, string | RegExp>>,
): Promise<void> {
  const line = await scene.catalog.waitForAccess({
    direction: 'inbound',
    reason: 'policy-changed',
    ...match,
  });
  showLog(scene, report, line);
}

function showLog({ catalog }: Scene, report: Report, line: LogEntry): void {
  report.hanging(`${report.style.bold(podName(catalog))} logs`, logWords(line, report.style));
}

function ended(error: string | null): string {
  return `its connection ends with ${error ?? 'nothing'}`;
}
