import { HboneError } from '@ambient/hbone';
import type { PeerCertificate } from '@ambient/identity/peer';
import { MalformedCertificateError, parsePeerCertificate } from '@ambient/identity/peer';

/**
 * Reads the chain that OpenSSL has verified, to be compared with revocation lists.
 *
 * We read more strictly than OpenSSL. A root that we cannot read is left out: it is the operator's own, may be old and
 * odd, and is withdrawn by taking it out of the trusted ones. Any other certificate must be readable, or a revoked one
 * could pass for a good one.
 *
 * @param chain DER, the peer's own first, the root last
 */
export function readVerifiedChain(chain: readonly Buffer[]): readonly PeerCertificate[] | HboneError {
  const read: PeerCertificate[] = [];
  for (const [index, der] of chain.entries()) {
    try {
      read.push(parsePeerCertificate(der));
    } catch (error) {
      if (!(error instanceof MalformedCertificateError)) throw error;
      if (index > 0 && index === chain.length - 1) break;
      const whose =
        index === 0 ? "the peer's own certificate" : `certificate ${index + 1} of the peer's chain`;
      return new HboneError('peer-identity', `${whose}: ${error.message}`, {
        reason: 'malformed-certificate',
        cause: error,
      });
    }
  }
  return read;
}
