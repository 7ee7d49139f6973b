/** `/debug/certz`: who signs, what is trusted, and how far a rotation is. Field by field, so that no key can get into it. */
import { X509Certificate } from 'node:crypto';

import type { TrustState } from '../ca/rotation.ts';
import type { SigningAuthority } from '../ca/signing-authority.ts';

export function caPage({ signing, waiting, retired, roots }: TrustState): unknown {
  return {
    stage: waiting !== undefined ? 'waiting' : retired.length > 0 ? 'retiring' : 'settled',
    signing: authorityOf(signing),
    ...(waiting === undefined
      ? {}
      : { waiting: { ...authorityOf(waiting.authority), origin: waiting.origin } }),
    retired: retired.map(({ authority, sinceMs }) => ({
      ...authorityOf(authority),
      retiredSince: timeOf(sinceMs),
    })),
    roots: roots.map(({ id, pem, sinceMs }) => {
      const { subject, serialNumber, validTo } = new X509Certificate(pem);
      return {
        id,
        subject,
        serialNumber,
        notAfter: timeOf(Date.parse(validTo)),
        ...(sinceMs === 0 ? {} : { trustedSince: timeOf(sinceMs) }),
      };
    }),
  };
}

function authorityOf({ id, certificatePem, intermediatesPem, notBeforeMs, notAfterMs }: SigningAuthority) {
  const { subject, serialNumber } = new X509Certificate(certificatePem);
  return {
    id,
    subject,
    serialNumber,
    intermediates: intermediatesPem.length,
    notBefore: timeOf(notBeforeMs),
    notAfter: timeOf(notAfterMs),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
