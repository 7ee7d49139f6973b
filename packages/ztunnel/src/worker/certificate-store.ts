import type { TlsContextOptions } from '@ambient/tls';
import { TlsContext } from '@ambient/tls';
import { ProxyError } from '../connections/failure.ts';
import type { CertificateMaterial, FromWorker } from './messages.ts';

/** TLS contexts of one identity, made from its present certificate. */
export interface IdentityContexts {
  readonly client: TlsContext;
  readonly server: TlsContext;
}

type Waiter = (contexts: IdentityContexts | undefined, error: ProxyError | undefined) => void;

interface Entry {
  contexts: IdentityContexts | undefined;
  waiting: Waiter[];
  asked: boolean;
}

/** The certificates of one worker. The main thread fetches and renews them; a connection that needs one may wait here. */
export class CertificateStore {
  readonly #entries = new Map<string, Entry>();
  readonly #post: (message: FromWorker) => void;
  readonly #tls: Pick<TlsContextOptions, 'allowTls12' | 'postQuantumOnly'>;

  constructor(
    post: (message: FromWorker) => void,
    tls: Pick<TlsContextOptions, 'allowTls12' | 'postQuantumOnly'>,
  ) {
    this.#post = post;
    this.#tls = tls;
  }

  /** The contexts of an identity where they are at hand. */
  current(identity: string): IdentityContexts | undefined {
    return this.#entries.get(identity)?.contexts;
  }

  /** Calls `use`, now or when the main thread has answered, once. */
  request(identity: string, use: Waiter): void {
    const entry = this.#entryOf(identity);
    if (entry.contexts !== undefined) {
      use(entry.contexts, undefined);
      return;
    }
    entry.waiting.push(use);
    if (entry.asked) return;
    entry.asked = true;
    this.#post({ kind: 'need-certificate', identity });
  }

  #entryOf(identity: string): Entry {
    let entry = this.#entries.get(identity);
    if (entry === undefined) {
      entry = { contexts: undefined, waiting: [], asked: false };
      this.#entries.set(identity, entry);
    }
    return entry;
  }

  /** A certificate has come, the first or a renewed one. Sessions that stand go on with theirs. */
  set(identity: string, material: CertificateMaterial): void {
    const common = { ...material, ...this.#tls, alpn: ['h2'] };
    const entry = this.#entryOf(identity);
    const old = entry.contexts;
    entry.contexts = {
      client: new TlsContext({ ...common, role: 'client' }),
      server: new TlsContext({ ...common, role: 'server' }),
    };
    closeContexts(old);
    this.#settle(entry, undefined);
  }

  /** There is none, or none any more: the fetch has failed, it has expired, or its workload has left the node. */
  fail(identity: string, message: string): void {
    const entry = this.#entries.get(identity);
    if (entry === undefined) return;
    closeContexts(entry.contexts);
    entry.contexts = undefined;
    const error = new ProxyError('certificate-unavailable', `no certificate for ${identity}: ${message}`);
    this.#settle(entry, error);
    this.#entries.delete(identity);
  }

  #settle(entry: Entry, error: ProxyError | undefined): void {
    entry.asked = false;
    const waiting = entry.waiting;
    entry.waiting = [];
    for (const use of waiting) use(entry.contexts, error);
  }

  close(): void {
    for (const { contexts } of this.#entries.values()) closeContexts(contexts);
    this.#entries.clear();
  }
}

/** Sessions already made keep what they need. */
function closeContexts(contexts: IdentityContexts | undefined): void {
  contexts?.client.close();
  contexts?.server.close();
}
