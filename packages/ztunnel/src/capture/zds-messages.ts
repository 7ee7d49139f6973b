import type { LocalWorkloadName } from '@ambient/mesh';
import { istio } from '@ambient/wire';
import { AgentMessageError } from './errors.ts';

const { ZdsHello, Version, WorkloadRequest, WorkloadResponse } = istio.workload.zds;

/** Neither side reads more of one packet: facts §6, ZDS. */
export const maxPacketBytes = 1024;

/** What the node agent asks of ztunnel; a pod is named by its Kubernetes UID. */
export type ZdsRequest =
  /** Serve this pod; its network namespace comes as a descriptor. @property name undefined: the message has none */
  | { readonly kind: 'add'; readonly uid: string; readonly name: LocalWorkloadName | undefined }
  /** The pod lives, and the agent does not know its namespace yet. */
  | { readonly kind: 'keep'; readonly uid: string }
  | { readonly kind: 'del'; readonly uid: string }
  /** What was not named before this is gone. */
  | { readonly kind: 'snapshot-sent' };

/** The first message of ztunnel, and the only one that answers nothing. */
export function encodeHello(): Uint8Array {
  return ZdsHello.encode({ version: Version.V1 }).finish();
}

/** @param error '' if the request took effect; cut so that a packet holds it */
export function encodeReply(error: string): Uint8Array {
  if (error === '') return WorkloadResponse.encode({ ack: {} }).finish();
  let text = error;
  for (;;) {
    const bytes = WorkloadResponse.encode({ ack: { error: text } }).finish();
    if (bytes.length <= maxPacketBytes) return bytes;
    text = text.slice(0, Math.floor(text.length * 0.9));
  }
}

/** @throws AgentMessageError */
export function decodeRequest(bytes: Uint8Array): ZdsRequest {
  const { add, keep, del, snapshotSent } = decoded(bytes);
  if (add) {
    const info = add.workloadInfo;
    return {
      kind: 'add',
      uid: add.uid ?? '',
      name: info
        ? {
            namespace: info.namespace ?? '',
            name: info.name ?? '',
            serviceAccount: info.serviceAccount ?? '',
          }
        : undefined,
    };
  }
  if (keep) return { kind: 'keep', uid: keep.uid ?? '' };
  if (del) return { kind: 'del', uid: del.uid ?? '' };
  if (snapshotSent) return { kind: 'snapshot-sent' };
  throw new AgentMessageError('a message of the node agent asks for nothing that is known here');
}

function decoded(bytes: Uint8Array): istio.workload.zds.IWorkloadRequest {
  try {
    return WorkloadRequest.decode(bytes);
  } catch (cause) {
    throw new AgentMessageError('a message of the node agent cannot be decoded', { cause });
  }
}
