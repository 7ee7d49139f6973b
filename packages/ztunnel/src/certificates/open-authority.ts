import { CaClient, FakeCa, fakeCaWarning, GrpcCaTransport } from '@ambient/identity';
import type { CertificateAuthority } from '@ambient/identity';
import type { Clock, Logger } from '@ambient/runtime';
import type { ZtunnelSettings } from '../settings.ts';

export type CertificateAuthoritySettings = Pick<ZtunnelSettings, 'mode' | 'ca' | 'place' | 'tls' | 'token'>;

/**
 * The CA that the settings name: one over gRPC, or the throwaway one of `FAKE_CA`, which is warned about.
 *
 * @throws CaError or FakeCaDirectoryError if it cannot be used at all; a CA that does not answer shows at the first fetch
 */
export async function openCertificateAuthority(
  settings: CertificateAuthoritySettings,
  clock: Clock,
  log: Logger,
): Promise<CertificateAuthority> {
  const { ca, place, tls, token } = settings;
  const now = (): number => clock.nowMs();
  if (ca.fakeCaDir !== undefined) {
    log.warn(fakeCaWarning(ca.fakeCaDir));
    return FakeCa.open(ca.fakeCaDir, { now, lifetimeMs: ca.secretTtlMs });
  }
  if (ca.address === undefined) throw new Error('settings name neither a CA nor FAKE_CA');
  const transport = new GrpcCaTransport({
    address: ca.address,
    roots: ca.rootCert,
    altHostname: ca.altHostname,
    clock,
    tls12: tls.tls12Enabled,
    ...(tls.compliancePolicy === 'pqc' ? { groups: 'X25519MLKEM768' } : {}),
  });
  return new CaClient({
    transport,
    token,
    clusterId: place.clusterId,
    headers: Object.fromEntries(ca.headers),
    // In dedicated mode the token names the workload itself.
    impersonate: settings.mode === 'shared',
    ttlSeconds: Math.round(ca.secretTtlMs / 1000),
    now,
  });
}

/**
 * A CA that is still being opened: fetches wait for it, so that threads and listeners need not.
 *
 * @param opening its failure is the caller's to report; fetches fail with it too
 */
export function openingAuthority(opening: Promise<CertificateAuthority>): CertificateAuthority {
  return {
    async fetch(identity, signal) {
      const authority = await opening;
      return authority.fetch(identity, signal);
    },
    close() {
      opening.then(
        (authority) => authority.close(),
        () => undefined,
      );
    },
  };
}
