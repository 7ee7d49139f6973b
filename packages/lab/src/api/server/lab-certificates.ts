/** The certificates of one lab: a CA of its own, the server's certificate, client certificates for kubeconfigs. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

import forge from 'node-forge';

const { asn1 } = forge;
type Asn1Node = forge.asn1.Asn1;

export interface CertificateAndKey {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Groups of a client (`O` in its subject). */
  readonly organizations?: readonly string[];
  /** DNS names and addresses of a server. */
  readonly hosts?: readonly string[];
}

const yearMs = 365 * 24 * 3600 * 1000;

/** A certificate authority with an ECDSA P-256 key, for one lab and for nobody else to trust. */
export class LabCertificates {
  readonly #ca: CertificateAndKey;
  readonly #key: KeyObject;
  readonly #nowMs: number;

  private constructor(ca: CertificateAndKey, nowMs: number) {
    this.#ca = ca;
    this.#key = createPrivateKey(ca.privateKeyPem);
    this.#nowMs = nowMs;
  }

  /** A new authority, valid for ten years. */
  static create(nowMs: number): LabCertificates {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ca = issue({ commonName: caName }, createPublicKey(privateKey), privateKey, nowMs, true);
    return new LabCertificates({ certificatePem: ca, privateKeyPem: pemOf(privateKey) }, nowMs);
  }

  /** The authority of an earlier run. */
  static restore(ca: CertificateAndKey, nowMs: number): LabCertificates {
    return new LabCertificates(ca, nowMs);
  }

  get authority(): CertificateAndKey {
    return this.#ca;
  }

  /** A key and its certificate, valid for a year. */
  issue(request: CertificateRequest): CertificateAndKey {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      certificatePem: issue(request, publicKey, this.#key, this.#nowMs, false),
      privateKeyPem: pemOf(privateKey),
    };
  }
}

const caName = 'lab-ca';

const oids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
};

/** An X.509 v3 certificate (RFC 5280 section 4) in PEM. */
function issue(
  request: CertificateRequest,
  publicKey: KeyObject,
  issuerKey: KeyObject,
  nowMs: number,
  isCa: boolean,
): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const extensions = [
    extension(oids.basicConstraints, true, sequence(...(isCa ? [node('BOOLEAN', '\xff')] : []))),
    // keyCertSign and cRLSign, or digitalSignature (section 4.2.1.3).
    extension(oids.keyUsage, true, node('BITSTRING', isCa ? '\x01\x06' : '\x07\x80')),
  ];
  if (!isCa)
    extensions.push(
      extension(oids.extendedKeyUsage, false, sequence(oid(oids.serverAuth), oid(oids.clientAuth))),
    );
  const hosts = request.hosts ?? [];
  if (hosts.length > 0)
    extensions.push(extension(oids.subjectAltName, false, sequence(...hosts.map(hostName))));

  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  const content = sequence(
    context(0, [node('INTEGER', '\x02')]),
    node('INTEGER', `\x01${randomBytes(15).toString('latin1')}`),
    algorithm,
    distinguishedName(caName, []),
    sequence(time(nowMs - 3600_000), time(nowMs + (isCa ? 10 * yearMs : yearMs))),
    distinguishedName(request.commonName, request.organizations ?? []),
    asn1.fromDer(spki.toString('latin1')),
    context(3, [sequence(...extensions)]),
  );
  const signature = sign('sha256', Buffer.from(asn1.toDer(content).getBytes(), 'latin1'), issuerKey);
  const der = asn1
    .toDer(sequence(content, algorithm, node('BITSTRING', `\0${signature.toString('latin1')}`)))
    .getBytes();
  const base64 = Buffer.from(der, 'latin1')
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

function node(type: 'BOOLEAN' | 'BITSTRING' | 'INTEGER' | 'UTF8' | 'OCTETSTRING', bytes: string): Asn1Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type[type], false, bytes);
}

function sequence(...children: Asn1Node[]): Asn1Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, children);
}

function context(number: number, value: Asn1Node[] | string): Asn1Node {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, number, Array.isArray(value), value);
}

function oid(dotted: string): Asn1Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes());
}

function extension(id: string, critical: boolean, value: Asn1Node): Asn1Node {
  return sequence(
    oid(id),
    ...(critical ? [node('BOOLEAN', '\xff')] : []),
    node('OCTETSTRING', asn1.toDer(value).getBytes()),
  );
}

function distinguishedName(commonName: string, organizations: readonly string[]): Asn1Node {
  const attribute = (id: string, value: string): Asn1Node =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [
      sequence(oid(id), node('UTF8', Buffer.from(value).toString('latin1'))),
    ]);
  return sequence(
    ...organizations.map((each) => attribute(oids.organization, each)),
    attribute(oids.commonName, commonName),
  );
}

/** UTCTime serves until 2049 (section 4.1.2.5). */
function time(ms: number): Asn1Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.UTCTIME, false, asn1.dateToUtcTime(new Date(ms)));
}

function hostName(host: string): Asn1Node {
  if (isIP(host) === 0) return context(2, host);
  return context(7, addressBytes(host).toString('latin1'));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const left = groups(head);
  const right = groups(tail ?? '');
  const middle = new Array<number>(8 - left.length - right.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...middle, ...right].entries())
    bytes.writeUInt16BE(group, index * 2);
  return bytes;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
