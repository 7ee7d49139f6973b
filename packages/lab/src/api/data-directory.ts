import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { LabCertificates } from './server/lab-certificates.ts';
import { SigningKey } from './tokens/signing-key.ts';

/** The keys of a lab. Kept on disk, kubeconfigs and tokens of an earlier run stay good. */
export interface LabKeys {
  readonly certificates: LabCertificates;
  readonly signingKey: SigningKey;
}

/** @param directory undefined: new keys, for this process only */
export function openKeys(directory: string | undefined, nowMs: number): LabKeys {
  if (directory === undefined)
    return { certificates: LabCertificates.create(nowMs), signingKey: SigningKey.generate() };
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const authorityPath = join(directory, 'authority.json');
  const signingKeyPath = join(directory, 'service-account-key.pem');
  let certificates: LabCertificates;
  if (existsSync(authorityPath))
    certificates = LabCertificates.restore(
      JSON.parse(readFileSync(authorityPath, 'utf8')) as LabCertificates['authority'],
      nowMs,
    );
  else {
    certificates = LabCertificates.create(nowMs);
    writeWhole(authorityPath, JSON.stringify(certificates.authority));
  }
  if (existsSync(signingKeyPath))
    return { certificates, signingKey: SigningKey.fromPem(readFileSync(signingKeyPath, 'utf8')) };
  const signingKey = SigningKey.generate();
  writeWhole(signingKeyPath, signingKey.toPem());
  return { certificates, signingKey };
}

/** A file that is there whole or not at all, whenever the process ends. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
