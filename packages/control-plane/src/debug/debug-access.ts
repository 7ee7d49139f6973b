/** Who may see which debug pages: as with istiod, but identities of other namespaces see nothing of each other. */
import { isIP } from 'node:net';
import { formatSpiffe } from '@ambient/identity';

import { AuthError } from '../auth/auth-error.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { DebugRefusal } from './debug-refusal.ts';

/** What somebody may see. */
export type DebugAccess =
  /** On this machine (kubectl exec or port-forward): everything, and may change log levels. */
  | { readonly kind: 'local' }
  /** An account of the root namespace: everything. */
  | { readonly kind: 'root' }
  /** Any other account: what it was sent itself. */
  | { readonly kind: 'own'; readonly principal: string };

/** A request, as far as it says who asks. */
export interface DebugCaller {
  readonly address: string | undefined;
  /** Header `host`. */
  readonly host: string | undefined;
  readonly authorization: readonly string[];
  readonly clusterIds: readonly string[];
}

export interface DebugGuardOptions {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Whose accounts see everything, now. */
  readonly rootNamespace: () => string;
}

export class DebugGuard {
  readonly #options: DebugGuardOptions;

  constructor(options: DebugGuardOptions) {
    this.#options = options;
  }

  /** @throws DebugRefusal with status 401, or 503 if the API server cannot be asked */
  async admit({ address, host, authorization, clusterIds }: DebugCaller): Promise<DebugAccess> {
    if (isLoopback(address) && namesThisMachine(host)) return { kind: 'local' };
    try {
      const { identity } = await this.#options.authenticator.authenticate({ authorization, clusterIds });
      return this.accessOf(identity.namespace, formatSpiffe(identity));
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      throw new DebugRefusal(
        error.code === 'token-review-unavailable' ? 503 : 401,
        `${error.message} Or ask from inside the pod: kubectl port-forward, or kubectl exec.`,
        { cause: error },
      );
    }
  }

  /** What an authenticated account may see. */
  accessOf(namespace: string, principal: string): DebugAccess {
    return namespace === this.#options.rootNamespace() ? { kind: 'root' } : { kind: 'own', principal };
  }
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || address?.replace(/^::ffff:/, '').startsWith('127.') === true;
}

/** A web page whose name was made to stand for this machine (DNS rebinding) asks from loopback too, but by that name. */
function namesThisMachine(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === '' || name === 'localhost' || isIP(name) !== 0;
}
