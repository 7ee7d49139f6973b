/** Shared by the tests of the certificate authority. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { issueCertificate, toPem } from '@ambient/identity/signing';
import type { Signer } from '@ambient/identity/signing';
import { LogLevels, Logger } from '@ambient/runtime';

import type { CaFiles } from './ca-files.ts';
import type { CaMetricsSink } from './ca-metrics.ts';
import type { NewSecret, SecretApi, StoredSecret } from './secret-api.ts';

export const startMs = Date.UTC(2026, 5, 1);
export const dayMs = 24 * 3600 * 1000;

/** Secrets in memory, with the conflicts of an API server. */
export class FakeSecrets implements SecretApi {
  readonly namespace = 'istio-system';
  readonly stored = new Map<string, StoredSecret>();
  writes = 0;
  /** Every call rejects. */
  down = false;
  /** Called before each write: the place for somebody else to come in between. */
  beforeWrite: () => void = () => {};
  #version = 0;

  read(name: string): Promise<StoredSecret | undefined> {
    if (this.down) return Promise.reject(new Error('the API server gives no answer'));
    return Promise.resolve(this.stored.get(name));
  }

  create(secret: NewSecret): Promise<boolean> {
    if (this.down) return Promise.reject(new Error('the API server gives no answer'));
    this.beforeWrite();
    if (this.stored.has(secret.name)) return Promise.resolve(false);
    this.put(secret.name, secret.files, {}, secret.type);
    return Promise.resolve(true);
  }

  replace(secret: StoredSecret, files: CaFiles): Promise<boolean> {
    if (this.down) return Promise.reject(new Error('the API server gives no answer'));
    this.beforeWrite();
    const now = this.stored.get(secret.name);
    if (now?.resourceVersion !== secret.resourceVersion) return Promise.resolve(false);
    this.put(secret.name, files, now.annotations, now.type);
    return Promise.resolve(true);
  }

  /** Writes by hand. */
  put(
    name: string,
    files: CaFiles,
    annotations: Readonly<Record<string, string>> = {},
    type = 'Opaque',
  ): void {
    this.writes += 1;
    this.#version += 1;
    this.stored.set(name, { name, type, files, annotations, resourceVersion: String(this.#version) });
  }

  annotate(name: string, annotations: Readonly<Record<string, string>>): void {
    const { files, type } = this.stored.get(name)!;
    this.put(name, files, annotations, type);
  }
}

/** Counts by metric name and labels. */
export class FakeMetrics implements CaMetricsSink {
  readonly values = new Map<string, number>();
  add(name: string, labels: readonly string[], n = 1): void {
    const key = [name, ...labels].join('/');
    this.values.set(key, (this.values.get(key) ?? 0) + n);
  }
  set(name: string, labels: readonly string[], value: number): void {
    this.values.set([name, ...labels].join('/'), value);
  }
}

/** A logger and what it wrote, one text a line. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const sink = {
    write: (level: string, scope: string, message: string, fields: object | undefined): void =>
      void lines.push(`${level} ${scope} ${message} ${JSON.stringify(fields ?? {})}`),
  };
  return {
    logger: new Logger(new LogLevels('info'), sink, 'ca'),
    lines,
  };
}

export type KeyType = 'ec' | 'rsa';

export interface TestCa {
  readonly signer: Signer;
  readonly certificate: string;
  readonly key: string;
}

/** A root, or with `parent` an intermediate. */
export async function testCa(
  commonName: string,
  options: {
    readonly parent?: TestCa;
    readonly keyType?: KeyType;
    readonly isCa?: boolean;
    readonly notAfterMs?: number;
    readonly notBeforeMs?: number;
    readonly extendedKeyUsages?: readonly string[];
  } = {},
): Promise<TestCa> {
  const { privateKey, publicKey } =
    options.keyType === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = { commonName, privateKey, publicKeyDer: publicKey.export({ type: 'spki', format: 'der' }) };
  const der = await issueCertificate({
    issuer: options.parent?.signer ?? signer,
    publicKeyDer: signer.publicKeyDer,
    commonName,
    serialNumber: Buffer.concat([Uint8Array.of(1), randomBytes(15)]),
    notBeforeMs: options.notBeforeMs ?? startMs - dayMs,
    notAfterMs: options.notAfterMs ?? startMs + 365 * dayMs,
    isCa: options.isCa ?? true,
    uriSans: [],
    extendedKeyUsages: options.extendedKeyUsages,
  });
  return {
    signer,
    certificate: toPem(der, 'CERTIFICATE'),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Files of `cacerts`. @param roots those that proxies shall trust, PEM */
export function cacerts(intermediate: TestCa, ...roots: readonly string[]): Record<string, string> {
  return {
    'ca-cert.pem': intermediate.certificate,
    'ca-key.pem': intermediate.key,
    'cert-chain.pem': intermediate.certificate,
    'root-cert.pem': roots.join(''),
  };
}

/** Runs openssl on files of these contents; arguments that name one are replaced by its path. Returns its output. */
export function openssl(args: readonly string[], files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ca-openssl-'));
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const resolved = args.map((arg) => (Object.hasOwn(files, arg) ? join(folder, arg) : arg));
    // openssl reports verdicts on either stream; the exit code is not what is looked at.
    return spawnSync('sh', ['-c', 'openssl "$@" 2>&1', 'sh', ...resolved], {
      encoding: 'utf8',
      timeout: 10_000,
    }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
