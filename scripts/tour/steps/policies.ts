import type { LocalPolicy } from '../../../test/netns/harness/index.ts';
import type { Report, Step } from '../report.ts';
import { FEED_PORT, podName, PRICE_PORT } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { logWords, seconds } from './words.ts';

/** A policy that bites must bite soon. */
const CUT_WITHIN_MS = 1000;

/** Who may call the shop: checkout alone. */
export function onlyCheckout(scene: Scene): LocalPolicy {
  const { principal, workload } = scene.checkout;
  return {
    name: 'only-checkout',
    namespace: workload.namespace,
    scope: 'Namespace',
    action: 'Allow',
    rules: [[[{ principals: [{ exact: principal }] }]]],
  };
}

function closeFeed(scene: Scene): LocalPolicy {
  const { principal, workload } = scene.checkout;
  return {
    name: 'close-feed',
    namespace: workload.namespace,
    scope: 'Namespace',
    action: 'Deny',
    rules: [[[{ principals: [{ exact: principal }], destinationPorts: [FEED_PORT] }]]],
  };
}

/** A policy that lets one identity in and no other. */
export function allowOne(scene: () => Scene): Step {
  return { title: 'A policy that allows one caller', run: (report) => allowOneCaller(scene(), report) };
}

/** A policy that ends what it denies, also when it is open already. */
export function denyOpenConnection(scene: () => Scene): Step {
  return { title: 'A policy that denies, while connected', run: (report) => denyWhileOpen(scene(), report) };
}

async function allowOneCaller(scene: Scene, report: Report): Promise<string> {
  const { checkout, intruder, catalog } = scene;
  const { style } = report;
  report.progress('asking before and after the policy');
  const before = await scene.askPrice(intruder);
  await scene.setPolicies([onlyCheckout(scene)]);
  report.say(
    'So far everybody in the mesh may call the catalog. An AuthorizationPolicy for the namespace shop:',
  );
  report.hanging(`${style.paint('green', 'ALLOW')} ${style.bold('shop/only-checkout')}`, [
    ['from', 'principal', style.identity(checkout.principal)],
  ]);
  report.check(before.status === 200, `before it, ${podName(intruder)} was answered: ${before.status}`);
  const [allowed, refused] = await Promise.all([scene.askPrice(checkout), scene.askPrice(intruder)]);
  report.check(
    allowed.status === 200,
    `${podName(checkout)} is still answered: ${allowed.error ?? allowed.status}`,
  );
  report.check(
    refused.status === 0,
    `${podName(intruder)} is not: ${refused.status === 0 ? `its connection ends with ${refused.error ?? 'nothing'}` : refused.status}`,
  );
  const target = `${catalog.ipv4}:${PRICE_PORT}`;
  const line = await catalog.waitForAccess({
    direction: 'inbound',
    'dst.hbone_addr': target,
    'src.workload': intruder.name,
    reason: 'policy-denied',
  });
  report.say("The catalog's proxy says why:");
  report.hanging(`${style.bold(podName(catalog))} logs`, logWords(line, style));
  return `${checkout.name} passes, ${intruder.name} is refused`;
}

async function denyWhileOpen(scene: Scene, report: Report): Promise<string> {
  const { checkout, catalog } = scene;
  const { style } = report;
  report.progress('opening a connection');
  const call = await scene.openCall(checkout);
  report.say(
    `${podName(checkout)} has a connection open to the catalog's feed on port ${FEED_PORT} and talks on it. Meanwhile:`,
  );
  report.hanging(`${style.paint('red', 'DENY')} ${style.bold('shop/close-feed')}`, [
    ['to', 'port', `${FEED_PORT}`],
    ['from', 'principal', style.identity(checkout.principal)],
  ]);
  const open = call.exit === undefined && !call.lines.some((line) => line.startsWith('cut '));
  const started = performance.now();
  const policies = scene.setPolicies([onlyCheckout(scene), closeFeed(scene)]);
  const cut = await call.waitForLine(/^cut /, CUT_WITHIN_MS * 5);
  const took = performance.now() - started;
  await policies;
  report.check(
    open && took <= CUT_WITHIN_MS,
    `the open connection was cut ${seconds(took)} after the policy was written (${cut.slice(4)})`,
  );
  const line = await catalog.waitForAccess({ direction: 'inbound', reason: 'policy-changed' });
  report.hanging(`${style.bold(podName(catalog))} logs`, logWords(line, style));
  const price = await scene.askPrice(checkout);
  report.check(
    price.status === 200,
    `what the policy does not name goes on: port ${PRICE_PORT} answers ${price.error ?? price.status}`,
  );
  await scene.setPolicies([onlyCheckout(scene)]);
  return `cut in ${seconds(took)}`;
}
