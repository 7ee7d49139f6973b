import type { Clock, Logger } from '@ambient/runtime';
import { describeError, sleep } from '@ambient/runtime';
import type { HostRuleApplier } from '../../rules/host-applier.ts';
import type { ZdsServer } from '../../zds/server.ts';
import { isListening } from '../../zds/socket-place.ts';
import type { NodeObjects } from '../cluster/node-objects.ts';
import type { NetnsFinder } from '../netns/find-netns.ts';
import { adoptCaptured, probedAddresses } from './adopt.ts';
import type { CapturedPod } from './captured-pod.ts';
import { readRemembered } from './remembered-pods.ts';
import { hasEnded } from './wish.ts';

/** What the agent before this one has left, and who can tell of it. */
export interface Inheritance {
  readonly objects: NodeObjects;
  /** Takes the pods that are found. */
  readonly pods: Map<string, CapturedPod>;
  readonly finder: NetnsFinder;
  /** The file of `RememberedPods`. */
  readonly rememberedPath: string;
  readonly systemNamespace: string;
  readonly hostRules: HostRuleApplier;
  readonly ztunnelSocket: string;
  /** Takes the socket for ztunnel from whoever has it. One that dials is told of `pods` as they are when the server begins. */
  readonly claim: () => ZdsServer;
  readonly clock: Clock;
  /** Ends the wait for the API server. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** So long is waited for the API server before the agent begins with what the one before it has left. */
const API_PATIENCE_MS = 2000;
/** An agent that serves notices within a second that it is succeeded, and ends its work on pods; one that hangs does not. */
const HAND_OVER_PATIENCE_MS = 10_000;
const HAND_OVER_LOOK_MS = 20;
/** What the agent before has done last may not have been heard of from the API server. */
const UNHEARD_MS = 60_000;

/**
 * Learns which pods are captured, and opens the socket for ztunnel, in this order: without the pods, a ztunnel that connects
 * would be told that there are none, and would drop those that it has. Where the API server does not answer, the file of
 * the agent before counts until it does.
 *
 * An agent that serves the node still, as where a DaemonSet surges, is succeeded when this one knows its pods: its place at the
 * socket is taken, and waited for that it has ended its work. So two never work on the same pods.
 *
 * @returns undefined when the wait for the API server was ended
 * @throws SystemError when the socket cannot be made
 */
export async function takeOver(inheritance: Inheritance): Promise<ZdsServer | undefined> {
  const { objects, pods, finder, systemNamespace, hostRules, claim, clock, signal, log } = inheritance;
  let zds: ZdsServer | undefined;
  if (!(await within(API_PATIENCE_MS, objects.synced, clock, signal))) {
    // Who knows its pods from the API server serves better than one who does not.
    if (!(await isListening(inheritance.ztunnelSocket)))
      zds = serveRemembered(inheritance, await remembered(inheritance));
    await Promise.race([objects.synced, aborted(signal)]);
  }
  if (signal.aborted) return undefined;

  const isEarly = zds !== undefined;
  zds ??= claim();
  const handedOver = !isEarly && (await beforeHasEnded(zds, clock, signal, log));
  for (const record of await leftPods(inheritance, handedOver)) pods.set(record.uid, record);
  const adopted = await adoptCaptured(objects.pods(), systemNamespace, finder, pods);
  for (const record of adopted) pods.set(record.uid, record);
  await hostRules.replace(probedAddresses(pods.values()));
  log.info('the pods of the node are known', {
    pods: [...objects.pods()].length,
    captured_before: pods.size,
  });
  if (!isEarly) zds.begin();
  // A ztunnel that is connected has had its snapshot without them.
  else handOver(adopted, zds, log);
  return zds;
}

/** What the file says, of pods whose namespaces are on the node still. */
async function remembered({ rememberedPath, finder }: Inheritance): Promise<readonly CapturedPod[]> {
  const records = await readRemembered(rememberedPath, finder);
  return [...records.values()].filter(({ netns }) => netns !== undefined);
}

function serveRemembered(
  { pods, claim, log }: Inheritance,
  records: readonly CapturedPod[],
): ZdsServer | undefined {
  if (records.length === 0) return undefined;
  for (const record of records) pods.set(record.uid, record);
  log.warn('the API server does not answer: ztunnel is served as the agent before has left it', {
    pods: pods.size,
  });
  const zds = claim();
  zds.begin();
  return zds;
}

/** Waits for the end of an agent that has served until now. @returns whether there was one */
async function beforeHasEnded(
  zds: ZdsServer,
  clock: Clock,
  signal: AbortSignal,
  log: Logger,
): Promise<boolean> {
  if (!(await zds.beforeListens())) return false;
  log.info('another agent serves this node, and hands it over');
  const untilMs = clock.nowMs() + HAND_OVER_PATIENCE_MS;
  do {
    if (signal.aborted || clock.nowMs() > untilMs) {
      log.warn('the agent before does not end its work: until its process ends, ztunnel may stay with it', {
        waited: `${HAND_OVER_PATIENCE_MS}ms`,
      });
      return false;
    }
    await sleep(clock, HAND_OVER_LOOK_MS);
  } while (await zds.beforeListens());
  return true;
}

/**
 * Pods of the file that are captured although their annotations do not say so, or not yet: what the agent before has done last.
 * @param handedOver it has served until now: pods that are unheard of have just started
 */
async function leftPods(
  { objects, pods, finder, rememberedPath, clock }: Inheritance,
  handedOver: boolean,
): Promise<readonly CapturedPod[]> {
  const left: CapturedPod[] = [];
  for (const record of (await readRemembered(rememberedPath, finder)).values()) {
    const pod = objects.pod(record.uid);
    const counts = pod === undefined ? handedOver : !hasEnded(pod);
    if (counts && !pods.has(record.uid)) left.push({ ...record, unheardUntilMs: clock.nowMs() + UNHEARD_MS });
    else record.netns?.close();
  }
  return left;
}

function handOver(adopted: readonly CapturedPod[], zds: ZdsServer, log: Logger): void {
  for (const record of adopted)
    if (record.netns !== undefined)
      void zds.add({ ...record, netns: record.netns }).catch((error: unknown) => {
        log.warn('a pod cannot be handed to ztunnel', { uid: record.uid, error: describeError(error) });
      });
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
