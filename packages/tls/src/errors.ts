import * as openssl from './openssl.ts';

/**
 * Why a TLS context or session failed. Stable; in logs and metrics.
 *
 * | reason | meaning |
 * |---|---|
 * | not-tls | the peer sent something that is no TLS record |
 * | no-shared-version | the peer does not speak an allowed TLS version |
 * | no-shared-parameters | no cipher suite, group or signature algorithm in common |
 * | no-shared-protocol | the peer does not offer HTTP/2 in ALPN |
 * | no-certificate | the peer presented no certificate |
 * | untrusted-certificate | the peer's chain does not end at a trusted root |
 * | expired-certificate | the peer's certificate or an issuer's has expired |
 * | future-certificate | the peer's certificate or an issuer's is not valid yet |
 * | wrong-purpose | an extended key usage forbids this role, or a CA rule is broken |
 * | bad-certificate | the chain fails verification for another reason |
 * | refused-by-peer | the peer sent an alert; the text names it |
 * | protocol-error | the peer broke the TLS protocol |
 * | bad-configuration | our own certificate, key or roots cannot be used |
 * | connection-lost | the connection broke |
 */
export type TlsFailure =
  | 'not-tls'
  | 'no-shared-version'
  | 'no-shared-parameters'
  | 'no-shared-protocol'
  | 'no-certificate'
  | 'untrusted-certificate'
  | 'expired-certificate'
  | 'future-certificate'
  | 'wrong-purpose'
  | 'bad-certificate'
  | 'refused-by-peer'
  | 'protocol-error'
  | 'bad-configuration'
  | 'connection-lost';

const remedies: Partial<Record<TlsFailure, string>> = {
  'not-tls': 'something speaks plain text to a TLS port',
  'no-shared-version': 'the mesh speaks TLS 1.3; TLS12_ENABLED=true admits 1.2',
  'no-shared-protocol': 'the peer is no HBONE endpoint',
  'no-certificate': 'the client is not part of the mesh',
  'untrusted-certificate': 'the two sides have different root certificates; compare their istio-ca-root-cert',
  'expired-certificate': "check the clocks, and that the peer's certificate renewal reaches its CA",
  'future-certificate': 'check the clocks of both nodes',
  'wrong-purpose': 'the CA must issue end-entity certificates for both clientAuth and serverAuth',
  'refused-by-peer': "see the peer's log for its reason",
};

/** A TLS session or context failed. `code` is one of TlsFailure. */
export class TlsError extends Error {
  readonly code: TlsFailure;
  constructor(code: TlsFailure, detail: string, options?: ErrorOptions) {
    const remedy = remedies[code];
    super(`TLS ${code}: ${detail}${remedy === undefined ? '' : ` (${remedy})`}`, options);
    this.name = 'TlsError';
    this.code = code;
  }
}

/** Takes all queued OpenSSL errors of this thread. @returns the reason texts, first one first */
export function takeOpensslErrors(): string[] {
  const reasons: string[] = [];
  for (let code = openssl.ERR_get_error(); code !== 0; code = openssl.ERR_get_error())
    reasons.push(openssl.ERR_reason_error_string(code) ?? `error ${code.toString(16)}`);
  return reasons;
}

const failureByReason: readonly [RegExp, TlsFailure][] = [
  [/alert number|alert .*|tlsv1.* alert/, 'refused-by-peer'],
  [/peer did not return a certificate/, 'no-certificate'],
  [/no application protocol/, 'no-shared-protocol'],
  [
    /wrong version number|http request|https proxy request|bad record type|packet length too long|record too small|unsupported record type|not sslv2|unknown protocol/,
    'not-tls',
  ],
  [/unsupported protocol|version too low|no protocols available|inappropriate fallback/, 'no-shared-version'],
  [
    /no shared|no suitable|no cipher match|unsupported (signature|elliptic)|no common/,
    'no-shared-parameters',
  ],
  [/certificate verify failed/, 'bad-certificate'],
];

// X509_V_ERR_* values: <openssl/x509_vfy.h>.
const failureByVerifyResult: Readonly<Record<number, TlsFailure>> = {
  2: 'untrusted-certificate',
  9: 'future-certificate',
  10: 'expired-certificate',
  18: 'untrusted-certificate',
  19: 'untrusted-certificate',
  20: 'untrusted-certificate',
  21: 'untrusted-certificate',
  7: 'untrusted-certificate',
  24: 'wrong-purpose',
  26: 'wrong-purpose',
  28: 'wrong-purpose',
  79: 'wrong-purpose',
};

/**
 * Names what went wrong in a session from OpenSSL's queue and the verification result.
 * @param verifyResult an X509_V_ERR value; 0 when the chain was fine or was not reached
 */
export function sessionError(verifyResult: number): TlsError {
  const reasons = takeOpensslErrors();
  const first = reasons[0] ?? 'connection closed by the peer';
  if (reasons.length === 0) return new TlsError('connection-lost', first);
  if (verifyResult !== 0 && reasons.some((reason) => reason.includes('certificate verify failed')))
    return new TlsError(
      failureByVerifyResult[verifyResult] ?? 'bad-certificate',
      openssl.X509_verify_cert_error_string(verifyResult),
    );
  for (const [pattern, failure] of failureByReason)
    if (pattern.test(first)) return new TlsError(failure, reasons.join('; '));
  return new TlsError('protocol-error', reasons.join('; '));
}

/** Our own material was refused by OpenSSL. */
export function configurationError(subject: string): TlsError {
  return new TlsError('bad-configuration', `${subject}: ${takeOpensslErrors().join('; ') || 'refused'}`);
}
