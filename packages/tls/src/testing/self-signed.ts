import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TlsContext } from '../context.ts';

/** A certificate that both ends of a session have, and trust: for tests. In files as well, for programs. */
export class SelfSigned implements Disposable {
  /** Has `crt` and `key`, PEM. */
  readonly directory = mkdtempSync(join(tmpdir(), 'tls-self-signed-'));
  readonly #certificate: string;
  readonly #key: string;

  constructor() {
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    args.push('-keyout', 'key', '-out', 'crt', '-subj', '/CN=self', '-addext', 'basicConstraints=CA:FALSE');
    execFileSync('openssl', args, { cwd: this.directory, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#certificate = readFileSync(join(this.directory, 'crt'), 'utf8');
    this.#key = readFileSync(join(this.directory, 'key'), 'utf8');
  }

  context(role: 'client' | 'server', allowTls12 = false): TlsContext {
    return new TlsContext({
      role,
      certificateChainPem: [this.#certificate],
      privateKeyPem: this.#key,
      rootsPem: [this.#certificate],
      alpn: ['h2'],
      allowTls12,
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}
