import { join } from 'node:path';
import { FakeCa } from '@ambient/identity';
import type { FakeCertificateOptions, Identity } from '@ambient/identity';
import type { Credentials } from '@ambient/testkit/hostile-peer';
import type { TestMesh } from '../../netns/harness/index.ts';

/** Who the attacker is in the mesh. */
export const attacker: Identity = {
  trustDomain: 'cluster.local',
  namespace: 'default',
  serviceAccount: 'attacker',
};

/** Credentials and the serial number by which a list revokes them. */
export interface IssuedCredentials extends Credentials {
  readonly serialNumber: string;
}

/** The authority that the proxies of a mesh share. */
export function openMeshAuthority(mesh: TestMesh): Promise<FakeCa> {
  return FakeCa.open(join(mesh.lab.directory, 'fake-ca'), { now: Date.now });
}

/** A certificate of `authority`, good unless `options` say otherwise. */
export async function issueCredentials(
  authority: FakeCa,
  options: FakeCertificateOptions = {},
  identity = attacker,
): Promise<IssuedCredentials> {
  const { certificateChainPem, privateKeyPem, serialNumber } = await authority.issue(identity, options);
  return { cert: certificateChainPem.join('\n'), key: privateKeyPem, serialNumber };
}
