import type { Clock, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { HostRuleApplier } from '../../rules/host-applier.ts';
import type { ZdsServer } from '../../zds/server.ts';
import type { NodeObjects } from '../cluster/node-objects.ts';
import type { NetnsFinder } from '../netns/find-netns.ts';
import { adoptCaptured, probedAddresses } from './adopt.ts';
import type { CapturedPod } from './captured-pod.ts';
import { readRemembered } from './remembered-pods.ts';

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
  /** Opens the socket for ztunnel, which is told of `pods` as they are by then. */
  readonly listen: () => ZdsServer;
  readonly clock: Clock;
  /** Ends the wait for the API server. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** So long is waited for the API server before the agent begins with what the one before it has left. */
const API_PATIENCE_MS = 2000;

/**
 * Learns which pods are captured, and opens the socket for ztunnel, in this order: without the pods, a ztunnel that connects
 * would be told that there are none, and would drop those that it has. Where the API server does not answer, the file of
 * the agent before counts until it does.
 *
 * @returns undefined when the wait for the API server was ended
 */
export async function takeOver(inheritance: Inheritance): Promise<ZdsServer | undefined> {
  const { objects, pods, finder, systemNamespace, hostRules, listen, clock, signal, log } = inheritance;
  let early: ZdsServer | undefined;
  if (!(await within(API_PATIENCE_MS, objects.synced, clock, signal))) {
    for (const [uid, record] of await readRemembered(inheritance.rememberedPath, finder))
      pods.set(uid, record);
    if (pods.size > 0) {
      log.warn('the API server does not answer: ztunnel is served as the agent before has left it', {
        pods: pods.size,
      });
      early = listen();
    }
    await Promise.race([objects.synced, aborted(signal)]);
  }
  if (signal.aborted) return undefined;

  const adopted = await adoptCaptured(objects.pods(), systemNamespace, finder, pods);
  for (const record of adopted) pods.set(record.uid, record);
  await hostRules.replace(probedAddresses(pods.values()));
  log.info('the pods of the node are known', {
    pods: [...objects.pods()].length,
    captured_before: pods.size,
  });
  const zds = early ?? listen();
  // A ztunnel that is connected has had its snapshot without them.
  if (zds.connected > 0) handOver(adopted, zds, log);
  return zds;
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
