import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { TokenError } from './token-error.ts';

/** A public key in a JWK set (RFC 7517), as `/openid/v1/jwks` lists it. */
export interface PublicJwk {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly alg: 'RS256';
  readonly kid: string;
  readonly n: string;
  readonly e: string;
}

/** The RSA key that signs service-account tokens. */
export class SigningKey {
  /** SHA-256 of the public key's DER, base64url: how an API server names its keys. */
  readonly id: string;
  readonly #private: KeyObject;
  readonly #public: KeyObject;

  private constructor(key: KeyObject) {
    this.#private = key;
    this.#public = createPublicKey(key);
    const der = this.#public.export({ type: 'spki', format: 'der' });
    this.id = createHash('sha256').update(der).digest('base64url');
  }

  static generate(): SigningKey {
    return new SigningKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
  }

  /** @throws {TokenError} `key-unusable`: not a PEM private key of RSA */
  static fromPem(pem: string): SigningKey {
    let key: KeyObject;
    try {
      key = createPrivateKey(pem);
    } catch (cause) {
      throw new TokenError(
        'key-unusable',
        'the key of service-account tokens is not PEM; delete its file to make a new one',
        { cause },
      );
    }
    if (key.asymmetricKeyType !== 'rsa')
      throw new TokenError(
        'key-unusable',
        'the key of service-account tokens must be RSA; delete its file to make a new one',
      );
    return new SigningKey(key);
  }

  /** PKCS #8, for keeping on disk. */
  toPem(): string {
    return this.#private.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  toJwk(): PublicJwk {
    const { n = '', e = '' } = this.#public.export({ format: 'jwk' });
    return { kty: 'RSA', use: 'sig', alg: 'RS256', kid: this.id, n, e };
  }

  /** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3). */
  sign(text: string): string {
    return sign('sha256', Buffer.from(text), this.#private).toString('base64url');
  }

  verifies(text: string, signature: Buffer): boolean {
    return verify('sha256', Buffer.from(text), this.#public, signature);
  }
}
