import type { Pod } from '@ambient/kube';
import type { ProbedAddress } from '../../rules/host-rules.ts';
import type { NetnsFinder } from '../netns/find-netns.ts';
import type { CapturedPod } from './captured-pod.ts';
import { capturedPod } from './captured-pod.ts';
import { addressesOf, hasEnded, isZtunnel, redirectionOf } from './wish.ts';

/**
 * Pods that an agent before this one has captured, by their annotation: what a ztunnel is told when it connects. One whose
 * namespace is not found is among them: ztunnel is to keep what it has of it.
 * @param known pods that are not looked for any more
 */
export async function adoptCaptured(
  pods: Iterable<Pod>,
  systemNamespace: string,
  finder: Pick<NetnsFinder, 'find'>,
  known: ReadonlyMap<string, CapturedPod>,
): Promise<readonly CapturedPod[]> {
  const captured = [...pods].filter(
    (pod) =>
      redirectionOf(pod) === 'enabled' &&
      !known.has(pod.metadata.uid) &&
      !hasEnded(pod) &&
      !isZtunnel(pod, systemNamespace),
  );
  return Promise.all(
    captured.map(async (pod) => {
      const addresses = addressesOf(pod);
      const netns = await finder.find({ uid: pod.metadata.uid, addresses });
      return capturedPod(pod, netns, undefined, addresses);
    }),
  );
}

/** The addresses that the node's probes of these pods go to. */
export function probedAddresses(pods: Iterable<CapturedPod>): readonly ProbedAddress[] {
  return [...pods].flatMap(({ uid, addresses }) => addresses.map((ip) => ({ ip, uid })));
}
