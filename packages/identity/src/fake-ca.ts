/** A throwaway CA in this process, for laptops and tests. Nothing protects its key but file permissions. */
import { randomBytes } from 'node:crypto';

import type { CertificateAuthority } from './certificate-authority.ts';
import { WorkloadCertificate } from './certificate.ts';
import { makeFakeRoot, openFakeRoot } from './fake-ca-directory.ts';
import type { FakeRoot } from './fake-ca-directory.ts';
import { issueCertificate, issueRevocationList, workloadUsages } from './issue-certificate.ts';
import type { Signer } from './issue-certificate.ts';
import { generateKeyPair, privateKeyPem } from './key-pair.ts';
import { serverAuth } from './peer-certificate.ts';
import { toPem } from './pem.ts';
import { formatSpiffe } from './spiffe.ts';
import type { Identity } from './spiffe.ts';

const backdateMs = 2 * 60 * 1000;
const dayMs = 24 * 3600 * 1000;

export interface FakeCaOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Lifetime of leaves, milliseconds; 24 h if absent. */
  readonly lifetimeMs?: number;
}

/** How a certificate differs from a good one; all absent: a good one. */
export interface FakeCertificateOptions {
  /** Unix milliseconds. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  /** CA:TRUE on the leaf. */
  readonly isCa?: boolean;
  /** Dotted OIDs instead of serverAuth and clientAuth; undefined leaves the extension out. */
  readonly extendedKeyUsages?: readonly string[] | undefined;
  /** URI names instead of the identity's one. */
  readonly uriSans?: readonly string[];
  /** Signs by a new intermediate CA under the root instead of by the root. */
  readonly intermediate?: boolean;
  /** Key of the leaf; `ec` if absent. RSA takes up to a second to generate. */
  readonly keyType?: 'ec' | 'rsa';
}

/** Signs certificates under a root of its own. */
export class FakeCa implements CertificateAuthority {
  /** PEM of the root. */
  readonly rootPem: string;
  readonly #signer: Signer;
  readonly #now: () => number;
  readonly #lifetimeMs: number;

  private constructor({ signer, rootPem }: FakeRoot, options: FakeCaOptions) {
    this.rootPem = rootPem;
    this.#signer = signer;
    this.#now = options.now;
    this.#lifetimeMs = options.lifetimeMs ?? dayMs;
  }

  /**
   * The CA whose key and root live in `directory`, made on first use. Proxies that are pointed at one directory trust
   * each other; whoever can read it can pose as any workload.
   *
   * @throws FakeCaDirectoryError
   */
  static async open(directory: string, options: FakeCaOptions): Promise<FakeCa> {
    return new FakeCa(await openFakeRoot(directory, options.now()), options);
  }

  /** A CA in memory only. */
  static async create(options: FakeCaOptions): Promise<FakeCa> {
    return new FakeCa(await makeFakeRoot(options.now()), options);
  }

  async fetch(identity: Identity): Promise<WorkloadCertificate> {
    return this.issue(identity);
  }

  /** A certificate with a new key, good or bad as `options` want it. */
  async issue(identity: Identity, options: FakeCertificateOptions = {}): Promise<WorkloadCertificate> {
    const keyPair = generateKeyPair(options.keyType);
    const issued = await this.#sign(identity, keyPair.publicKeyDer, options);
    return new WorkloadCertificate({
      identity,
      privateKeyPem: privateKeyPem(keyPair),
      rootsPem: [this.rootPem],
      ...issued,
    });
  }

  /**
   * Signs somebody's public key, as the CA service does on a request.
   *
   * @param publicKeyDer SubjectPublicKeyInfo
   * @returns the reply's `cert_chain`: leaf, intermediates, root
   */
  async signChain(
    identity: Identity,
    publicKeyDer: Uint8Array,
    options: FakeCertificateOptions = {},
  ): Promise<string[]> {
    const { certificateChainPem } = await this.#sign(identity, publicKeyDer, options);
    return [...certificateChainPem, this.rootPem];
  }

  /** A certificate for a TLS server of the control plane, by DNS names. */
  async issueServer(dnsNames: readonly string[]): Promise<{ certificatePem: string; privateKeyPem: string }> {
    const keyPair = generateKeyPair();
    const nowMs = this.#now();
    const der = await issueCertificate({
      issuer: this.#signer,
      publicKeyDer: keyPair.publicKeyDer,
      serialNumber: randomSerial(),
      notBeforeMs: nowMs - backdateMs,
      notAfterMs: nowMs + this.#lifetimeMs,
      isCa: false,
      uriSans: [],
      dnsSans: dnsNames,
      extendedKeyUsages: [serverAuth],
    });
    return { certificatePem: toPem(der, 'CERTIFICATE'), privateKeyPem: privateKeyPem(keyPair) };
  }

  /** A revocation list of the root, PEM. Serial numbers are hex. */
  async revocationList(serialNumbers: readonly string[]): Promise<string> {
    const nowMs = this.#now();
    const list = await issueRevocationList({
      issuer: this.#signer,
      entries: serialNumbers.map((serialNumber) => ({ serialNumber, revokedMs: nowMs })),
      thisUpdateMs: nowMs,
      nextUpdateMs: nowMs + dayMs,
      number: 1,
    });
    return toPem(list, 'X509 CRL');
  }

  close(): void {
    // Nothing is held open.
  }

  async #sign(identity: Identity, publicKeyDer: Uint8Array, options: FakeCertificateOptions) {
    const nowMs = this.#now();
    // Certificates count in seconds.
    const notBeforeMs = wholeSeconds(options.notBeforeMs ?? nowMs - backdateMs);
    const notAfterMs = wholeSeconds(options.notAfterMs ?? nowMs + this.#lifetimeMs);
    const intermediate = options.intermediate === true ? await this.#intermediate(nowMs) : undefined;
    const serialNumber = randomSerial();
    const der = await issueCertificate({
      issuer: intermediate?.signer ?? this.#signer,
      publicKeyDer,
      serialNumber,
      notBeforeMs,
      notAfterMs,
      isCa: options.isCa ?? false,
      uriSans: options.uriSans ?? [formatSpiffe(identity)],
      extendedKeyUsages: 'extendedKeyUsages' in options ? options.extendedKeyUsages : workloadUsages,
    });
    const certificateChainPem = [toPem(der, 'CERTIFICATE')];
    if (intermediate !== undefined) certificateChainPem.push(intermediate.pem);
    return { certificateChainPem, serialNumber: serialNumber.toString('hex'), notBeforeMs, notAfterMs };
  }

  async #intermediate(nowMs: number): Promise<{ signer: Signer; pem: string }> {
    const signer = { commonName: 'FAKE intermediate CA', ...generateKeyPair() };
    const der = await issueCertificate({
      issuer: this.#signer,
      publicKeyDer: signer.publicKeyDer,
      commonName: signer.commonName,
      serialNumber: randomSerial(),
      notBeforeMs: nowMs - backdateMs,
      notAfterMs: nowMs + 365 * dayMs,
      isCa: true,
      uriSans: [],
      extendedKeyUsages: undefined,
    });
    return { signer, pem: toPem(der, 'CERTIFICATE') };
  }
}

/** What a proxy with a throwaway CA must say loudly at its start. */
export function fakeCaWarning(directory: string): string {
  return `FAKE_CA is on: certificates are signed by a throwaway CA in ${directory}. Whoever can read that directory can pose as any workload. Never use this outside of a test machine.`;
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** 127 random bits that never begin with a zero octet, positive. */
function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}
