import type { TlsContextOptions } from '@ambient/tls';
import { TlsContext } from '@ambient/tls';
import { ProxyError } from '../connections/failure.ts';
import { callEach } from './call-each.ts';
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
  readonly #onFault: (error: unknown) => void;

  /** @param onFault told when a connection that waited throws, and of certificates that cannot be used */
  constructor(
    post: (message: FromWorker) => void,
    tls: Pick<TlsContextOptions, 'allowTls12' | 'postQuantumOnly'>,
    onFault: (error: unknown) => void,
  ) {
    this.#post = post;
    this.#tls = tls;
    this.#onFault = onFault;
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

  /**
   * A certificate has come, the first or a renewed one. Sessions that stand go on with theirs. One that OpenSSL refuses
   * leaves the one before in use.
   */
  set(identity: string, material: CertificateMaterial): void {
    const entry = this.#entryOf(identity);
    const old = entry.contexts;
    try {
      entry.contexts = this.#contextsOf(material);
    } catch (error) {
      this.#onFault(error);
      if (old === undefined) this.fail(identity, (error as Error).message);
      return;
    }
    closeContexts(old);
    this.#settle(entry, undefined);
  }

  /** @throws TlsError */
  #contextsOf(material: CertificateMaterial): IdentityContexts {
    const common = { ...material, ...this.#tls, alpn: ['h2'] };
    const client = new TlsContext({ ...common, role: 'client' });
    try {
      return { client, server: new TlsContext({ ...common, role: 'server' }) };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** There is none, or none any more: the fetch has failed, it has expired, or its workload has left the node. */
  fail(identity: string, message: string): void {
    const entry = this.#entries.get(identity);
    if (entry === undefined) return;
    closeContexts(entry.contexts);
    entry.contexts = undefined;
    const error = new ProxyError('certificate-unavailable', `no certificate for ${identity}: ${message}`);
    this.#entries.delete(identity); // first: whoever asks again from within is a new case
    this.#settle(entry, error);
  }

  #settle(entry: Entry, error: ProxyError | undefined): void {
    entry.asked = false;
    const waiting = entry.waiting;
    entry.waiting = [];
    const goOn = (use: Waiter): void => {
      use(entry.contexts, error);
    };
    callEach(waiting, goOn, this.#onFault);
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
