/**
 * A CA's key and root certificate in a directory, made by whichever process comes first.
 *
 * No lock is taken and nobody waits, so a crash in the middle harms nobody: the key file appears whole or not at all
 * (a link to a finished file, which fails if the name is taken), and whoever finds a key without a certificate makes
 * one from that key and offers it the same way. Two such certificates would differ only in their signature.
 */
import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { issueCertificate } from './issue-certificate.ts';
import type { Signer } from './issue-certificate.ts';
import { generateKeyPair, privateKeyPem } from './key-pair.ts';
import { toPem } from './pem.ts';

const keyFile = 'root-key.pem';
const certificateFile = 'root-cert.pem';
const rootLifetimeMs = 10 * 365 * 24 * 3600 * 1000;
const backdateMs = 2 * 60 * 1000;

/** Name of the throwaway root; it shows in every tool that prints a chain. */
const fakeCommonName = 'FAKE CA - throwaway, not for production';

/** A root that signs. */
export interface FakeRoot {
  readonly signer: Signer;
  readonly rootPem: string;
}

/** The directory of the throwaway CA cannot be used. */
export class FakeCaDirectoryError extends Error {
  override readonly name = 'FakeCaDirectoryError';
  readonly code = 'fake-ca-directory';
}

/**
 * Reads the root of `directory`, making the directory (mode 0700), key (0600) and certificate where they are missing.
 *
 * @throws FakeCaDirectoryError if they cannot be made or read, do not belong together, or are expired
 */
export async function openFakeRoot(directory: string, nowMs: number): Promise<FakeRoot> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const signer = await openSigner(directory);
    const path = join(directory, certificateFile);
    let rootPem = await readIfThere(path);
    if (rootPem === undefined) {
      await offer(path, await selfSign(signer, nowMs), 0o644);
      rootPem = await readFile(path, 'utf8');
    }
    checkRoot(directory, rootPem, signer, nowMs);
    return { signer, rootPem };
  } catch (error) {
    if (error instanceof FakeCaDirectoryError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FakeCaDirectoryError(
      `The throwaway CA in ${directory} cannot be used (${reason}). Point FAKE_CA_DIR at a directory that this process may write, or delete it to start anew.`,
      { cause: error },
    );
  }
}

/** A root that lives in this process only. */
export async function makeFakeRoot(nowMs: number): Promise<FakeRoot> {
  const signer = { commonName: fakeCommonName, ...generateKeyPair() };
  return { signer, rootPem: await selfSign(signer, nowMs) };
}

async function openSigner(directory: string): Promise<Signer> {
  const path = join(directory, keyFile);
  let pem = await readIfThere(path);
  if (pem === undefined) {
    if (
      (await readIfThere(join(directory, certificateFile))) !== undefined &&
      (await readIfThere(path)) === undefined
    )
      throw new FakeCaDirectoryError(
        `${directory} holds ${certificateFile} but not ${keyFile}. Restore the key, or delete the directory to start anew; every proxy that uses it must then restart.`,
      );
    await offer(path, privateKeyPem(generateKeyPair()), 0o600);
    pem = await readFile(path, 'utf8');
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new FakeCaDirectoryError(
      `${path} can be read by others (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`,
    );
  const privateKey = createPrivateKey(pem);
  const publicKeyDer = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { commonName: fakeCommonName, privateKey, publicKeyDer };
}

async function selfSign(signer: Signer, nowMs: number): Promise<string> {
  const der = await issueCertificate({
    issuer: signer,
    publicKeyDer: signer.publicKeyDer,
    commonName: signer.commonName,
    serialNumber: Uint8Array.of(1),
    notBeforeMs: nowMs - backdateMs,
    notAfterMs: nowMs + rootLifetimeMs,
    isCa: true,
    uriSans: [],
    extendedKeyUsages: undefined,
  });
  return toPem(der, 'CERTIFICATE');
}

function checkRoot(directory: string, rootPem: string, signer: Signer, nowMs: number): void {
  const root = new X509Certificate(rootPem);
  if (!root.checkPrivateKey(signer.privateKey))
    throw new FakeCaDirectoryError(
      `${certificateFile} and ${keyFile} in ${directory} do not belong together. Delete the directory to start anew; every proxy that uses it must then restart.`,
    );
  if (nowMs > root.validToDate.getTime())
    throw new FakeCaDirectoryError(
      `The throwaway root in ${directory} expired at ${root.validToDate.toISOString()}. Delete the directory to start anew; every proxy that uses it must then restart.`,
    );
}

/** Puts a whole file at `path` unless there is one already. */
async function offer(path: string, content: string, mode: number): Promise<void> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  await writeFile(draft, content, { mode, flag: 'wx' });
  try {
    await link(draft, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
