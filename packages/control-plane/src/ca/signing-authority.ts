/** A CA that can sign: its certificate and key, the way up to its root, and the roots that go with it. Checked when read. */
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { inspect } from 'node:util';

import { splitPem } from '@ambient/identity';
import { DerError, signatureScheme } from '@ambient/identity/signing';
import type { Signer } from '@ambient/identity/signing';

import { readCaCertificateFields } from './ca-certificate.ts';
import { CaMaterialError } from './ca-material-error.ts';
import type { CaMaterialProblem } from './ca-material-error.ts';

/** PEM texts as they are kept. */
export interface AuthorityPem {
  /** The certificate that signs leaves. */
  readonly certificate: string;
  /** Its key; PKCS#8, PKCS#1 or SEC 1. */
  readonly key: string;
  /** Intermediates between it and a root, in any order; '' if there are none. May repeat the certificate. */
  readonly chain: string;
  /** Every root that proxies shall trust. One of them must be the way up from the certificate. */
  readonly roots: string;
}

type AuthorityFields = Pick<
  SigningAuthority,
  'id' | 'certificatePem' | 'intermediatesPem' | 'rootsPem' | 'notBeforeMs' | 'notAfterMs' | 'signer'
>;

const longestChain = 8;

/** Printing it never shows the key. */
export class SigningAuthority {
  /** Names the certificate: 16 hex digits of its SHA-256. */
  readonly id: string;
  readonly certificatePem: string;
  /** What stands between a leaf and its root, PEM: the signing certificate first; empty if that is a root itself. */
  readonly intermediatesPem: readonly string[];
  /** The root of the chain first, then the others. */
  readonly rootsPem: readonly string[];
  /** Unix milliseconds; those of the signing certificate. */
  readonly notBeforeMs: number;
  /** When the first certificate of the chain ends, Unix milliseconds. */
  readonly notAfterMs: number;
  readonly #signer: Signer;

  private constructor(fields: AuthorityFields) {
    this.id = fields.id;
    this.certificatePem = fields.certificatePem;
    this.intermediatesPem = fields.intermediatesPem;
    this.rootsPem = fields.rootsPem;
    this.notBeforeMs = fields.notBeforeMs;
    this.notAfterMs = fields.notAfterMs;
    this.#signer = fields.signer;
  }

  /**
   * Reads and checks: the key belongs to the certificate, the certificate may sign, and its chain ends at one of the
   * roots. Whether it is valid at this time is another question: {@link checkValidity}.
   *
   * @param place for messages, such as "Secret istio-system/cacerts"
   * @throws CaMaterialError
   */
  static read(pem: AuthorityPem, place: string): SigningAuthority {
    const fail = (code: CaMaterialProblem, what: string, cause?: unknown): CaMaterialError =>
      new CaMaterialError(code, `${place}: ${what}`, { cause });
    const [certificatePem, ...rest] = splitPem(pem.certificate, 'CERTIFICATE');
    if (certificatePem === undefined)
      throw fail('malformed', 'the CA certificate is no PEM certificate. Write it as PEM.');
    const certificate = readCertificate(certificatePem, 'the CA certificate', fail);
    const key = readKey(pem.key, fail);
    checkSigner(certificate, key, fail);
    const rootsPem = splitPem(pem.roots, 'CERTIFICATE');
    if (rootsPem.length === 0)
      throw fail(
        'malformed',
        'the root file holds no PEM certificate. Write the root that proxies shall trust.',
      );
    const roots = rootsPem.map((root) => readCertificate(root, 'a root', fail));
    const between = [...rest, ...splitPem(pem.chain, 'CERTIFICATE')].map((it) =>
      readCertificate(it, 'a certificate of the chain', fail),
    );
    const { chain, anchor } = findChain(certificate, between, roots, fail);
    let fields;
    try {
      fields = readCaCertificateFields(certificate.raw);
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      throw fail(
        'malformed',
        `the CA certificate cannot be read (${error.message}). Have it issued again.`,
        error,
      );
    }
    return new SigningAuthority({
      id: certificateId(certificate),
      certificatePem: certificate.toString(),
      intermediatesPem: chain.map((it) => it.toString()),
      rootsPem: distinct([anchor, ...roots]).map((it) => it.toString()),
      notBeforeMs: certificate.validFromDate.getTime(),
      notAfterMs: Math.min(...[certificate, ...chain, anchor].map((it) => it.validToDate.getTime())),
      signer: {
        commonName: '',
        nameDer: fields.subjectDer,
        keyId: fields.keyId,
        privateKey: key,
        publicKeyDer: createPublicKey(key).export({ type: 'spki', format: 'der' }),
      },
    });
  }

  /** A getter of the prototype, so that a log or a dump of the object leaves the key out. */
  get signer(): Signer {
    return this.#signer;
  }

  /** The root of the chain, as {@link rootId} names it. */
  get anchorId(): string {
    return rootId(this.rootsPem[0]!);
  }

  /** PKCS#8 in PEM. It holds the secret: write it to a Secret, nowhere else. */
  get keyPem(): string {
    return this.signer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** @throws CaMaterialError `not-valid-now` */
  checkValidity(nowMs: number, place: string): void {
    if (nowMs >= this.notBeforeMs && nowMs < this.notAfterMs) return;
    throw new CaMaterialError(
      'not-valid-now',
      `${place}: the CA chain is valid from ${new Date(this.notBeforeMs).toISOString()} to ${new Date(this.notAfterMs).toISOString()}, and this machine's clock says ${new Date(nowMs).toISOString()}. Replace the certificate, or set the clock right.`,
    );
  }

  toJSON(): object {
    return {
      id: this.id,
      notBefore: new Date(this.notBeforeMs).toISOString(),
      notAfter: new Date(this.notAfterMs).toISOString(),
      intermediates: this.intermediatesPem.length,
      roots: this.rootsPem.length,
    };
  }

  [inspect.custom](): string {
    return `SigningAuthority ${this.id} (until ${new Date(this.notAfterMs).toISOString()})`;
  }
}

/** Names a root certificate: 16 hex digits of its SHA-256. */
export function rootId(pem: string): string {
  return certificateId(new X509Certificate(pem));
}

function certificateId(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex').slice(0, 16);
}

type Fail = (code: CaMaterialProblem, what: string, cause?: unknown) => CaMaterialError;

function readCertificate(pem: string, what: string, fail: Fail): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw fail('malformed', `${what} cannot be read. Check it with: openssl x509 -in FILE -text`, cause);
  }
}

function readKey(pem: string, fail: Fail): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw fail(
      'malformed',
      'the CA key is no unencrypted private key in PEM. Check it with: openssl pkey -in FILE -noout',
      cause,
    );
  }
}

function checkSigner(certificate: X509Certificate, key: KeyObject, fail: Fail): void {
  if (!certificate.checkPrivateKey(key))
    throw fail(
      'key-mismatch',
      'the CA key does not belong to the CA certificate. Put both of one pair there.',
    );
  if (!certificate.ca)
    throw fail(
      'not-a-ca',
      'the CA certificate may not sign others (CA:TRUE, keyCertSign). Have it issued as an intermediate CA.',
    );
  if (signatureScheme(key) === undefined || (key.asymmetricKeyDetails?.modulusLength ?? 2048) < 2048)
    throw fail('weak-key', 'the CA key is neither ECDSA nor RSA of 2048 bits or more. Make a new pair.');
  // Proxies check the usages of each certificate that restricts them.
  const usages = certificate.keyUsage as string[] | undefined;
  if (
    usages !== undefined &&
    !['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'].every((usage) => usages.includes(usage))
  )
    throw fail(
      'usage',
      'the CA certificate has an extended key usage without serverAuth and clientAuth. Have it issued without that extension.',
    );
}

/** The way from the signing certificate up to a root, by signatures. */
function findChain(
  certificate: X509Certificate,
  between: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  fail: Fail,
): { readonly chain: readonly X509Certificate[]; readonly anchor: X509Certificate } {
  const chain: X509Certificate[] = [];
  let at = certificate;
  while (chain.length < longestChain) {
    const current = at;
    const self = roots.find((root) => root.raw.equals(current.raw));
    if (self !== undefined) return { chain, anchor: self };
    chain.push(current);
    const issued = (issuer: X509Certificate): boolean =>
      issuer.ca && current.checkIssued(issuer) && current.verify(issuer.publicKey);
    const anchor = roots.find(issued);
    if (anchor !== undefined) return { chain, anchor };
    const next = between.find((it) => !chain.some((seen) => seen.raw.equals(it.raw)) && issued(it));
    if (next === undefined) break;
    at = next;
  }
  throw fail(
    'chain-broken',
    'no chain leads from the CA certificate to a root. Put every intermediate into cert-chain.pem and the root that signed the last one into root-cert.pem.',
  );
}

function distinct(certificates: readonly X509Certificate[]): X509Certificate[] {
  const seen = new Set<string>();
  return certificates.filter((it) => {
    const id = certificateId(it);
    return seen.has(id) ? false : seen.add(id);
  });
}
