import { istio } from '@ambient/wire';
import { ZdsError } from './errors.ts';

const { ZdsHello, Version, WorkloadRequest, WorkloadResponse } = istio.workload.zds;

/** Neither side reads more of one packet: facts §6 of ZDS. */
export const MAX_PACKET_BYTES = 1024;

/** Whom ztunnel is to serve. */
export interface ZdsWorkload {
  /** Pod UID. */
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** What ztunnel answers to each request. */
export type ZdsReply = { readonly kind: 'ok' } | { readonly kind: 'refused'; readonly reason: string };

/** "Serve this pod": goes with the descriptor of the pod's network namespace. */
export function encodeAdd(workload: ZdsWorkload): Uint8Array {
  const { uid, name, namespace, serviceAccount } = workload;
  return request({ add: { uid, workloadInfo: { name, namespace, serviceAccount } } });
}

/** "This pod lives, its namespace is not known yet: leave it as it is." Only before the end of the snapshot. */
export function encodeKeep(uid: string): Uint8Array {
  return request({ keep: { uid } });
}

/** "This pod is gone." */
export function encodeDel(uid: string): Uint8Array {
  return request({ del: { uid } });
}

/** "These were all": ztunnel drops what the snapshot has not named. */
export function encodeSnapshotSent(): Uint8Array {
  return request({ snapshotSent: {} });
}

/** @throws ZdsError ERR_ZDS_PROTOCOL */
export function decodeHello(bytes: Uint8Array): void {
  const { version } = decoded('a hello', () => ZdsHello.decode(bytes));
  if (version !== Version.V1)
    throw new ZdsError('ERR_ZDS_PROTOCOL', `ztunnel offers version ${version} of the protocol, not 1`);
}

/** @throws ZdsError ERR_ZDS_PROTOCOL when it is not a reply that has a result */
export function decodeReply(bytes: Uint8Array): ZdsReply {
  const { ack } = decoded('a reply', () => WorkloadResponse.decode(bytes));
  if (ack === null || ack === undefined) throw new ZdsError('ERR_ZDS_PROTOCOL', 'a reply without a result');
  const reason = ack.error ?? '';
  return reason === '' ? { kind: 'ok' } : { kind: 'refused', reason };
}

function request(message: istio.workload.zds.IWorkloadRequest): Uint8Array {
  const bytes = WorkloadRequest.encode(message).finish();
  if (bytes.length > MAX_PACKET_BYTES)
    throw new ZdsError(
      'ERR_ZDS_PROTOCOL',
      `a request of ${bytes.length} bytes, where ${MAX_PACKET_BYTES} fit: a name or UID is not one of Kubernetes`,
    );
  return bytes;
}

function decoded<T>(what: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new ZdsError('ERR_ZDS_PROTOCOL', `${what} that cannot be decoded`, { cause });
  }
}
