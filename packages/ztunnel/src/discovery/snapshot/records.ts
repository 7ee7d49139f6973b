import { WorkloadCertificate } from '@ambient/identity';
import type { CertificateMessage } from '@ambient/identity';
import type { MeshStore, MeshUpdate } from '@ambient/mesh';
import { envoy } from '@ambient/wire';
import {
  addressResource,
  addressResourceToMesh,
  authorizationResource,
  authorizationResourceToMesh,
} from '@ambient/xds';
import { SnapshotError } from './errors.ts';

/** What a snapshot holds: the mesh as discovery resources, so that it is read by what reads a control plane's, and certificates. */
export type SnapshotRecord =
  | { readonly kind: 'mesh'; readonly update: MeshUpdate }
  | { readonly kind: 'certificate'; readonly certificate: WorkloadCertificate };

// A record: its kind (one byte), its length (32 bits, big-endian), its bytes.
const addressKind = 1;
const authorizationKind = 2;
const certificateKind = 3;
const prefixBytes = 5;

const { Resource } = envoy.service.discovery.v3;

/** Everything that there is, policies before the workloads that they protect. The store may change meanwhile. */
export function* snapshotRecords(
  store: MeshStore,
  certificates: Iterable<WorkloadCertificate>,
): Generator<Buffer> {
  for (const { key, policy } of store.allPolicies())
    yield record(
      authorizationKind,
      Resource.encode({ ...authorizationResource(policy), name: key }).finish(),
    );
  for (const { service } of store.allServices())
    yield record(addressKind, Resource.encode(addressResource({ service })).finish());
  for (const workload of store.allWorkloads())
    yield record(addressKind, Resource.encode(addressResource({ workload })).finish());
  for (const certificate of certificates)
    yield record(certificateKind, Buffer.from(JSON.stringify(certificate.toMessage())));
}

/** @throws SnapshotError SNAPSHOT_DAMAGED: a mesh without one of its policies is worse than none */
export function* readRecords(plain: Buffer): Generator<SnapshotRecord> {
  for (let at = 0; at < plain.length;) {
    const start = at + prefixBytes;
    const end = start <= plain.length ? start + plain.readUInt32BE(at + 1) : start;
    if (end > plain.length) throw new SnapshotError('SNAPSHOT_DAMAGED', 'a record of the snapshot is cut');
    try {
      yield decode(plain[at]!, plain.subarray(start, end));
    } catch (cause) {
      throw new SnapshotError('SNAPSHOT_DAMAGED', 'a record of the snapshot cannot be read', { cause });
    }
    at = end;
  }
}

function record(kind: number, bytes: Uint8Array): Buffer {
  const all = Buffer.allocUnsafe(prefixBytes + bytes.length);
  all[0] = kind;
  all.writeUInt32BE(bytes.length, 1);
  all.set(bytes, prefixBytes);
  return all;
}

function decode(kind: number, bytes: Buffer): SnapshotRecord {
  switch (kind) {
    case addressKind:
      return { kind: 'mesh', update: addressResourceToMesh(Resource.decode(bytes)) };
    case authorizationKind:
      return { kind: 'mesh', update: authorizationResourceToMesh(Resource.decode(bytes)) };
    case certificateKind:
      return {
        kind: 'certificate',
        certificate: new WorkloadCertificate(JSON.parse(bytes.toString()) as CertificateMessage),
      };
    default:
      throw new RangeError(`kind ${kind} is not known`);
  }
}
