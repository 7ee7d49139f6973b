import { createHmac } from 'node:crypto';

/** A TLS 1.3 cipher suite whose records we protect ourselves (RFC 8446, appendix B.4). */
export interface CipherSuite {
  /** As OpenSSL's EVP_CIPHER_fetch wants it. */
  readonly cipher: string;
  /** Bytes. */
  readonly keyLength: number;
  readonly hash: string;
  /** Bytes of a digest, and so of a traffic secret. */
  readonly hashLength: number;
}

/** By the names that OpenSSL gives the suites. */
export const cipherSuites: Readonly<Record<string, CipherSuite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: 'AES-128-GCM', keyLength: 16, hash: 'sha256', hashLength: 32 },
  TLS_AES_256_GCM_SHA384: { cipher: 'AES-256-GCM', keyLength: 32, hash: 'sha384', hashLength: 48 },
};

/** Bytes of a nonce: RFC 8446, section 5.3. */
export const NONCE_BYTES = 12;

/** What protects the records of one direction. */
export interface TrafficKeys {
  readonly key: Buffer;
  /** The static part of the nonce, NONCE_BYTES. */
  readonly iv: Buffer;
}

/**
 * HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
 * @param length bytes, at most one digest: one round of HKDF-Expand (RFC 5869, section 2.3)
 */
function expandLabel(suite: CipherSuite, secret: Buffer, label: string, length: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.alloc(2 + 1 + name.length + 1 + 1);
  info.writeUInt16BE(length, 0);
  info[2] = name.length;
  info.write(name, 3, 'latin1');
  info[info.length - 1] = 1; // HKDF's counter, behind the empty context
  return createHmac(suite.hash, secret).update(info).digest().subarray(0, length);
}

/** The key and the nonce that belong to a traffic secret (RFC 8446, section 7.3). */
export function trafficKeys(suite: CipherSuite, secret: Buffer): TrafficKeys {
  return {
    key: expandLabel(suite, secret, 'key', suite.keyLength),
    iv: expandLabel(suite, secret, 'iv', NONCE_BYTES),
  };
}

/** The secret after a KeyUpdate (RFC 8446, section 7.2). */
export function nextTrafficSecret(suite: CipherSuite, secret: Buffer): Buffer {
  return expandLabel(suite, secret, 'traffic upd', suite.hashLength);
}
