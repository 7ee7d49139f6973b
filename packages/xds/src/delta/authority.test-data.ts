import forge from 'node-forge';
import { generateKeyPairSync } from 'node:crypto';

/** A throwaway RSA authority for server certificates. */
export class Authority {
  readonly root: string;
  readonly #key = rsaKey();
  readonly #certificate = forge.pki.createCertificate();

  constructor() {
    fill(this.#certificate, 'root', 'root', this.#key);
    this.#certificate.setExtensions([{ name: 'basicConstraints', cA: true, critical: true }]);
    this.#certificate.sign(this.#key.privateKey, forge.md.sha256.create());
    this.root = forge.pki.certificateToPem(this.#certificate);
  }

  issue(host: string, ip?: string): { cert: string; key: string } {
    const certificate = forge.pki.createCertificate();
    fill(certificate, host, 'root', this.#key);
    const altNames = [{ type: 2, value: host }, ...(ip === undefined ? [] : [{ type: 7, ip }])];
    certificate.setExtensions([{ name: 'subjectAltName', altNames }]);
    certificate.sign(this.#key.privateKey, forge.md.sha256.create());
    return {
      cert: forge.pki.certificateToPem(certificate),
      key: forge.pki.privateKeyToPem(this.#key.privateKey),
    };
  }
}

function rsaKey(): forge.pki.rsa.KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return {
    privateKey: forge.pki.privateKeyFromPem(privateKey),
    publicKey: forge.pki.publicKeyFromPem(publicKey),
  };
}

function fill(
  certificate: forge.pki.Certificate,
  subject: string,
  issuer: string,
  key: forge.pki.rsa.KeyPair,
): void {
  certificate.publicKey = key.publicKey;
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
}
