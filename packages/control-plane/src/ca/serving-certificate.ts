/** The control plane's own server certificate: issued by its own CA, renewed in time, and swapped without a restart. */
import { describeError } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import { generateKeyPair, privateKeyPem } from '@ambient/identity';
import { serverAuth } from '@ambient/identity';
import { issueCertificate, toHex, toPem } from '@ambient/identity/signing';
import { experimental } from '@grpc/grpc-js';
import type { ServerCredentials } from '@grpc/grpc-js';

import type { TrustState } from './rotation.ts';
import { randomSerial } from './serial-number.ts';

/** What a TLS server needs; `server.setSecureContext` of Node takes it. */
export interface ServingMaterial {
  /** PEM, leaf first. */
  readonly cert: string;
  /** PKCS#8 PEM. */
  readonly key: string;
  /** PEM: what client certificates must hang from. */
  readonly ca: string;
}

export interface ServingCertificateOptions {
  readonly trust: () => TrustState;
  /** See {@link servingNames}. */
  readonly dnsNames: readonly string[];
  /** Milliseconds; renewed at half of it. */
  readonly lifetimeMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Names under which proxies look for the control plane, those of Istio: a drop-in is found without a change to them.
 *
 * @param revision '' or `default`: none
 * @param further discovery host and custom names; repeats are dropped
 */
export function servingNames(namespace: string, revision: string, further: readonly string[]): string[] {
  const services = ['istiod', 'istiod-remote', 'istio-pilot'];
  if (revision !== '' && revision !== 'default') services.push(`istiod-${revision}`);
  return Array.from(new Set([...services.map((service) => `${service}.${namespace}.svc`), ...further]));
}

const retryMs = 10_000;
const backdateMs = 2 * 60 * 1000;

type IdentityListener = (update: { certificate: Buffer; privateKey: Buffer } | null) => void;
type CaListener = (update: { caCertificate: Buffer } | null) => void;

/** Owns the certificate and the timer of its renewal. A provider of grpc-js: servers made from it swap by themselves. */
export class ServingCertificate implements Disposable {
  readonly #options: ServingCertificateOptions;
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #caListeners = new Set<CaListener>();
  readonly #listeners = new Set<(material: ServingMaterial) => void>();
  #material: ServingMaterial | undefined;
  #issuedBy = '';
  #timer: Disposable | undefined;
  #disposed = false;

  constructor(options: ServingCertificateOptions) {
    this.#options = options;
  }

  /** Issues the first certificate. */
  async start(): Promise<void> {
    await this.#issue();
  }

  /** What is served now. Only after {@link start}. */
  get material(): ServingMaterial {
    if (this.#material === undefined) throw new Error('The serving certificate was not started.');
    return this.#material;
  }

  /** For servers that are not of gRPC. */
  onChange(listener: (material: ServingMaterial) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Credentials of a gRPC server that asks for a client certificate and takes callers without one too. */
  serverCredentials(): ServerCredentials {
    // The types name the two providers in another order than the code takes them: first the identity, then the roots.
    return experimental.createCertificateProviderServerCredentials(this, this, false);
  }

  /** To be called when roots or the signing authority changed. Never rejects. */
  async trustChanged(): Promise<void> {
    if (this.#material === undefined) return;
    const { signing } = this.#options.trust();
    if (signing.id !== this.#issuedBy) return this.#renew();
    this.#announce({ ...this.#material, ca: this.#roots() });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#timer?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    this.#tellLater(() => {
      if (this.#material !== undefined) listener(identityOf(this.#material));
    });
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    this.#tellLater(() => {
      if (this.#material !== undefined) listener({ caCertificate: Buffer.from(this.#material.ca) });
    });
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  /** grpc-js listens before it can pass on what it hears: a listener that is told at once would keep it to itself. */
  #tellLater(tell: () => void): void {
    queueMicrotask(tell);
  }

  async #renew(): Promise<void> {
    try {
      await this.#issue();
    } catch (error) {
      this.#options.logger.error('the serving certificate could not be renewed; it is tried again', {
        error: describeError(error),
      });
      this.#arm(retryMs);
    }
  }

  async #issue(): Promise<void> {
    const { trust, dnsNames, lifetimeMs, clock, logger } = this.#options;
    const { signing } = trust();
    const nowMs = clock.nowMs();
    const notAfterMs = Math.min(nowMs + lifetimeMs, signing.notAfterMs);
    const serialNumber = randomSerial();
    const keyPair = generateKeyPair();
    const der = await issueCertificate({
      issuer: signing.signer,
      publicKeyDer: keyPair.publicKeyDer,
      serialNumber,
      notBeforeMs: nowMs - backdateMs,
      notAfterMs,
      isCa: false,
      uriSans: [],
      dnsSans: dnsNames,
      extendedKeyUsages: [serverAuth],
    });
    if (this.#disposed) return;
    this.#issuedBy = signing.id;
    this.#announce({
      cert: [toPem(der, 'CERTIFICATE'), ...signing.intermediatesPem].join(''),
      key: privateKeyPem(keyPair),
      ca: this.#roots(),
    });
    logger.info('serving certificate issued', {
      serial: toHex(serialNumber),
      notAfter: new Date(notAfterMs).toISOString(),
      authority: signing.id,
    });
    this.#arm(Math.max(retryMs, (notAfterMs - nowMs) / 2));
  }

  #roots(): string {
    return this.#options
      .trust()
      .roots.map(({ pem }) => pem)
      .join('');
  }

  #arm(ms: number): void {
    if (this.#disposed) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#options.clock.setTimer(ms, () => void this.#renew());
  }

  #announce(material: ServingMaterial): void {
    this.#material = material;
    for (const listener of this.#caListeners) listener({ caCertificate: Buffer.from(material.ca) });
    for (const listener of this.#identityListeners) listener(identityOf(material));
    for (const listener of this.#listeners) listener(material);
  }
}

function identityOf({ cert, key }: ServingMaterial): { certificate: Buffer; privateKey: Buffer } {
  return { certificate: Buffer.from(cert), privateKey: Buffer.from(key) };
}
