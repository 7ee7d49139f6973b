/** A root of our own, for meshes that bring none. */
import { generateKeyPair as generateCallback, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

import { issueCertificate, toPem } from '@ambient/identity/signing';

import { randomSerial } from './serial-number.ts';
import { SigningAuthority } from './signing-authority.ts';

export interface SelfSignedOptions {
  /** P-256 signs ten times as fast as RSA 2048, and its handshakes are smaller; RSA is for peers that know nothing else. */
  readonly keyType: 'ec' | 'rsa';
  /** Milliseconds; 10 years if absent. */
  readonly lifetimeMs?: number;
  /** Only a label in the subject. */
  readonly trustDomain: string;
}

const tenYearsMs = 10 * 365 * 24 * 3600 * 1000;
/** Machines whose clocks are behind shall hold the root for valid too; leaves are issued for less. */
const backdateMs = 3600 * 1000;

const generateKeys = promisify(generateCallback);

/** Makes a root with a new key. Each has a name of its own, so that nothing confuses two roots during a rotation. */
export async function makeSelfSignedRoot(
  options: SelfSignedOptions,
  nowMs: number,
): Promise<SigningAuthority> {
  const { publicKey, privateKey } = await generate(options.keyType);
  const publicKeyDer = publicKey.export({ type: 'spki', format: 'der' });
  const commonName = `${options.trustDomain.slice(0, 40)} root ${randomBytes(4).toString('hex')}`;
  const der = await issueCertificate({
    issuer: { commonName, privateKey, publicKeyDer },
    publicKeyDer,
    commonName,
    serialNumber: randomSerial(),
    notBeforeMs: nowMs - backdateMs,
    notAfterMs: nowMs + (options.lifetimeMs ?? tenYearsMs),
    isCa: true,
    uriSans: [],
    extendedKeyUsages: undefined,
  });
  const certificate = toPem(der, 'CERTIFICATE');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return SigningAuthority.read({ certificate, key, chain: '', roots: certificate }, 'The new root');
}

function generate(type: 'ec' | 'rsa'): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return type === 'ec'
    ? generateKeys('ec', { namedCurve: 'P-256' })
    : generateKeys('rsa', { modulusLength: 2048 });
}
