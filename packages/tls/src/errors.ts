import * as openssl from './openssl.ts';

/** Why a TLS context or session failed, and what an operator most likely has to do. Stable: they are in logs. */
export const tlsFailures = {
  'not-tls': {
    meaning: 'the peer sent something that is no TLS record',
    remedy: 'something speaks plain text to a TLS port',
  },
  'no-shared-version': {
    meaning: 'the peer does not speak an allowed TLS version',
    remedy: 'the mesh speaks TLS 1.3; TLS12_ENABLED=true admits 1.2',
  },
  'no-shared-parameters': {
    meaning: 'no cipher suite, group or signature algorithm in common',
    remedy: 'compare the TLS settings of both sides (such as COMPLIANCE_POLICY) and the key type of the CA',
  },
  'no-shared-protocol': {
    meaning: 'the peer does not offer HTTP/2 in ALPN',
    remedy: 'the peer is no HBONE endpoint',
  },
  'no-certificate': {
    meaning: 'the peer presented no certificate',
    remedy: 'the client is not part of the mesh',
  },
  'untrusted-certificate': {
    meaning: "the peer's chain does not end at a trusted root",
    remedy: 'the two sides have different root certificates; compare their istio-ca-root-cert',
  },
  'expired-certificate': {
    meaning: "the peer's certificate, or an issuer's, has expired",
    remedy: "check the clocks, and that the peer's certificate renewal reaches its CA",
  },
  'future-certificate': {
    meaning: "the peer's certificate, or an issuer's, is not valid yet",
    remedy: 'check the clocks of both nodes',
  },
  'wrong-purpose': {
    meaning: 'an extended key usage forbids this role, or a CA rule is broken',
    remedy: 'the CA must issue end-entity certificates for both clientAuth and serverAuth',
  },
  'bad-certificate': {
    meaning: "the peer's chain fails verification for another reason",
    remedy: "the text has OpenSSL's reason; look at the certificates that the peer's CA issues",
  },
  'refused-by-peer': {
    meaning: 'the peer sent an alert; the text names it',
    remedy: "see the peer's log for its reason",
  },
  'protocol-error': {
    meaning: 'the peer broke the TLS protocol',
    remedy: 'check the version of the peer, and that nothing between alters the bytes',
  },
  'bad-configuration': {
    meaning: 'our own certificate, key or roots cannot be used',
    remedy: 'look at what the CA, or its replacement in files, has given to this proxy',
  },
  'connection-lost': {
    meaning: 'the connection to the other proxy broke',
    remedy: 'see the log of the other side at this time: it has ended, or its node has lost the connection',
  },
} as const satisfies Record<string, { meaning: string; remedy: string }>;

/** A key of {@link tlsFailures}. */
export type TlsFailure = keyof typeof tlsFailures;

/** A TLS session or context failed. `code` is one of TlsFailure. */
export class TlsError extends Error {
  readonly code: TlsFailure;
  constructor(code: TlsFailure, detail: string, options?: ErrorOptions) {
    super(`TLS ${code}: ${detail} (${tlsFailures[code].remedy})`, options);
    this.name = 'TlsError';
    this.code = code;
  }
}

/** Takes all queued OpenSSL errors of this thread. @returns the reason texts, first one first */
function takeOpensslErrors(): string[] {
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
