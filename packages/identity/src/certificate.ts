/** A workload's certificate as a CA issued it, and the check of a CA's reply. */
import { X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';

import type { KeyPair } from './key-pair.ts';
import { privateKeyPem } from './key-pair.ts';
import type { PeerCertificate } from './peer-certificate.ts';
import { MalformedCertificateError, parsePeerCertificate } from './peer-certificate.ts';
import { pemBodies, splitPem } from './pem.ts';
import { formatSpiffe } from './spiffe.ts';
import type { Identity } from './spiffe.ts';

/**
 * A certificate as plain data, to be sent to a data worker. It holds the private key, and nothing hides it any more:
 * post it, never log it.
 */
export interface CertificateMessage {
  readonly identity: Identity;
  /** PEM, leaf first, without the root. */
  readonly certificateChainPem: readonly string[];
  /** PKCS#8 PEM. */
  readonly privateKeyPem: string;
  /** PEM of every CA that peers may have been signed by. */
  readonly rootsPem: readonly string[];
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** Unix milliseconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A workload's certificate, its key and the roots that came with it. Printing it never shows the key. */
export class WorkloadCertificate implements CertificateMessage {
  readonly identity: Identity;
  readonly certificateChainPem: readonly string[];
  readonly rootsPem: readonly string[];
  readonly serialNumber: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly #privateKeyPem: string;

  constructor(fields: CertificateMessage) {
    this.identity = fields.identity;
    this.certificateChainPem = fields.certificateChainPem;
    this.rootsPem = fields.rootsPem;
    this.serialNumber = fields.serialNumber;
    this.notBeforeMs = fields.notBeforeMs;
    this.notAfterMs = fields.notAfterMs;
    this.#privateKeyPem = fields.privateKeyPem;
  }

  /** PKCS#8 PEM. A getter of the prototype, so that neither a spread nor JSON nor a structured clone takes it along. */
  get privateKeyPem(): string {
    return this.#privateKeyPem;
  }

  expiredAt(nowMs: number): boolean {
    return nowMs > this.notAfterMs;
  }

  /** The same certificate with other trusted roots. */
  withRoots(rootsPem: readonly string[]): WorkloadCertificate {
    return new WorkloadCertificate({ ...this.toMessage(), rootsPem });
  }

  /** Plain data for a data worker, with the key. */
  toMessage(): CertificateMessage {
    const { identity, certificateChainPem, privateKeyPem, rootsPem, serialNumber, notBeforeMs, notAfterMs } =
      this;
    return { identity, certificateChainPem, privateKeyPem, rootsPem, serialNumber, notBeforeMs, notAfterMs };
  }

  toJSON(): object {
    return {
      identity: formatSpiffe(this.identity),
      serialNumber: this.serialNumber,
      notBefore: new Date(this.notBeforeMs).toISOString(),
      notAfter: new Date(this.notAfterMs).toISOString(),
    };
  }

  toString(): string {
    return `${formatSpiffe(this.identity)} (serial ${this.serialNumber}, until ${new Date(this.notAfterMs).toISOString()})`;
  }

  [inspect.custom](): string {
    return `WorkloadCertificate ${this.toString()}`;
  }
}

/** Why a CA's reply cannot be used. */
export type CertificateReplyCode =
  | 'ca-reply-too-short'
  | 'ca-reply-malformed'
  | 'ca-reply-wrong-identity'
  | 'ca-reply-wrong-key'
  | 'ca-reply-expired';

/** A CA's reply that is not what was asked for; the text says what was seen. */
export class CertificateReplyError extends Error {
  override readonly name = 'CertificateReplyError';
  readonly code: CertificateReplyCode;
  constructor(code: CertificateReplyCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A CA's reply beside what was asked for. */
export interface CertificateReply {
  readonly identity: Identity;
  readonly keyPair: KeyPair;
  /** PEM texts: leaf, intermediates, and as LAST element the roots, of which there may be several. */
  readonly certChain: readonly string[];
  /**
   * Whether the leaf must name `identity`. In shared mode it must, since the proxy asked for somebody else; in
   * dedicated mode the CA takes the name from the token.
   */
  readonly pinIdentity: boolean;
  readonly nowMs: number;
}

/**
 * Checks a reply of `CreateCertificate` and joins it with its key.
 *
 * A leaf whose notBefore is still ahead is taken: other nodes, whose clocks are right, accept it, and refusing it
 * would stop this node.
 *
 * @throws CertificateReplyError
 */
export function readCertificateReply(reply: CertificateReply): WorkloadCertificate {
  const { certChain, identity, keyPair } = reply;
  if (certChain.length < 2)
    throw new CertificateReplyError(
      'ca-reply-too-short',
      `The CA replied with ${certChain.length} chain elements; at least the leaf and the roots are needed. Check that CA_ADDRESS is an Istio CA.`,
    );
  const chain = certChain.slice(0, -1).flatMap((pem) => splitPem(pem, 'CERTIFICATE'));
  const roots = splitPem(certChain[certChain.length - 1]!, 'CERTIFICATE');
  if (chain.length === 0 || roots.length === 0)
    throw new CertificateReplyError(
      'ca-reply-malformed',
      `The CA's reply holds no PEM certificate as ${chain.length === 0 ? 'leaf' : 'root'}. Check that CA_ADDRESS is an Istio CA.`,
    );
  const leaf = readStrictly(chain[0]!);
  for (const pem of [...chain.slice(1), ...roots]) readLeniently(pem);
  if (reply.pinIdentity) checkIdentity(leaf, identity);
  checkKey(chain[0]!, keyPair);
  if (reply.nowMs > leaf.notAfterMs)
    throw new CertificateReplyError(
      'ca-reply-expired',
      `The CA issued a certificate that expired at ${new Date(leaf.notAfterMs).toISOString()}, and this machine's clock says ${new Date(reply.nowMs).toISOString()}. Compare the clocks of this node and of the CA.`,
    );
  return new WorkloadCertificate({
    identity,
    certificateChainPem: chain,
    privateKeyPem: privateKeyPem(keyPair),
    rootsPem: roots,
    serialNumber: leaf.serialNumber,
    notBeforeMs: leaf.notBeforeMs,
    notAfterMs: leaf.notAfterMs,
  });
}

/** The leaf of a PEM chain, read strictly. */
function readLeaf(pem: string): PeerCertificate {
  const [der] = pemBodies(pem, 'CERTIFICATE');
  return parsePeerCertificate(der ?? new Uint8Array());
}

function readStrictly(pem: string): PeerCertificate {
  try {
    return readLeaf(pem);
  } catch (error) {
    if (!(error instanceof MalformedCertificateError)) throw error;
    throw new CertificateReplyError('ca-reply-malformed', `The CA's reply: ${error.message}`, {
      cause: error,
    });
  }
}

/** CA certificates are the operator's own and may be old and odd: what OpenSSL reads is good enough. */
function readLeniently(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new CertificateReplyError(
      'ca-reply-malformed',
      'A certificate in the chain or among the roots of the CA cannot be read. Check the root and intermediate certificates that the CA is configured with.',
      { cause: error },
    );
  }
}

function checkIdentity(leaf: PeerCertificate, identity: Identity): void {
  const wanted = formatSpiffe(identity);
  // Exactly one name: a peer takes the first that it finds.
  if (leaf.uriSans.length === 1 && leaf.uriSans[0] === wanted) return;
  throw new CertificateReplyError(
    'ca-reply-wrong-identity',
    `The CA was asked for ${wanted} and issued ${leaf.uriSans.join(', ') || 'no name'}. Check that the CA lets this proxy's service account act for the node's workloads (CA_TRUSTED_NODE_ACCOUNTS).`,
  );
}

function checkKey(leafPem: string, keyPair: KeyPair): void {
  let matches: boolean;
  try {
    matches = new X509Certificate(leafPem).checkPrivateKey(keyPair.privateKey);
  } catch (error) {
    throw new CertificateReplyError(
      'ca-reply-malformed',
      "The key in the CA's certificate cannot be read. Check that CA_ADDRESS is an Istio CA.",
      { cause: error },
    );
  }
  if (!matches)
    throw new CertificateReplyError(
      'ca-reply-wrong-key',
      'The CA issued a certificate for another key than it was asked for. Check for a caching proxy before the CA.',
    );
}

/** One certificate in the form of the admin page `/config_dump`. */
export interface CertificateDump {
  /** Base64 of the PEM text. */
  readonly pem: string;
  /** In decimal digits, as istioctl reads it; it shows it in hexadecimal. */
  readonly serialNumber: string;
  /** RFC 3339. */
  readonly validFrom: string;
  readonly expirationTime: string;
}

/** Describes public certificates for `/config_dump`. */
export function dumpCertificates(pems: readonly string[]): CertificateDump[] {
  return pems.map((pem) => {
    const certificate = new X509Certificate(pem);
    return {
      pem: Buffer.from(pem).toString('base64'),
      serialNumber: decimal(certificate.serialNumber),
      validFrom: rfc3339(certificate.validFromDate),
      expirationTime: rfc3339(certificate.validToDate),
    };
  });
}

/** @param hex with a minus sign, in spite of RFC 5280, in some old roots */
function decimal(hex: string): string {
  return hex.startsWith('-') ? `-${decimal(hex.slice(1))}` : BigInt(`0x${hex}`).toString();
}

function rfc3339(date: Date): string {
  return date.toISOString().replace('.000Z', 'Z');
}
