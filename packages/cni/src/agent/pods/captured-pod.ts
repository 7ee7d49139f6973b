import type { Pod } from '@ambient/kube';
import type { NetworkNamespace } from '@ambient/linux';
import type { PodCapture } from '../../rules/pod-capture.ts';
import type { ZdsPod } from '../../zds/server.ts';

/** A pod whose traffic goes through ztunnel: what was done to it, and is to be undone when it goes. */
export interface CapturedPod extends ZdsPod {
  /** Open until ztunnel has let go of the pod; undefined while it has not been found after a restart. */
  netns: NetworkNamespace | undefined;
  /** What its rules are; undefined: not looked at since the agent has started. */
  capture: PodCapture | undefined;
  /** All of the capture has been done. */
  complete: boolean;
  /** For which the node's probes are let pass. */
  addresses: readonly string[];
  /** Captured for the plugin, before the API server has told of the pod: it does not count as deleted till then, Unix ms. */
  unheardUntilMs: number;
}

export function capturedPod(
  pod: Pod,
  netns: NetworkNamespace | undefined,
  capture: PodCapture | undefined,
  addresses: readonly string[],
): CapturedPod {
  const { uid, name, namespace = '' } = pod.metadata;
  return {
    uid,
    name,
    namespace,
    serviceAccount: pod.spec?.serviceAccountName ?? 'default',
    netns,
    capture,
    complete: false,
    addresses,
    unheardUntilMs: 0,
  };
}
