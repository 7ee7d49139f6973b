import type { Clock } from '@ambient/runtime';
import { builtInPath } from '@ambient/kube';
import type { KubeClient } from '@ambient/kube';

import type { NodePod, TokenProjection } from '../../objects/pod.ts';

const usualSeconds = 3600;
/** After this share of a token's life the next one is asked for. */
const renewAt = 0.8;

interface Token {
  readonly text: string;
  readonly renewAtMs: number;
}

interface TokenAnswer {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

/** The service account tokens of one pod, bound to it: one for each audience and lifetime. */
export class PodTokens {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Token>();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /**
   * Asks for what is missing or due (TokenRequest).
   *
   * @throws KubeStatusError, KubeConnectionError; tokens that are still valid stay
   */
  async refresh(pod: NodePod, projections: readonly TokenProjection[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const projection of projections) {
      const key = keyOf(projection);
      const known = this.#tokens.get(key);
      if (known !== undefined && known.renewAtMs > nowMs) continue;
      this.#tokens.set(key, await this.#request(pod, projection, nowMs));
    }
  }

  /** Unix time in milliseconds when `refresh` has something to do; undefined without tokens. */
  get renewAtMs(): number | undefined {
    const times = [...this.#tokens.values()].map((token) => token.renewAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** The text of a token that `refresh` has got; '' for another. */
  text(projection: TokenProjection): string {
    return this.#tokens.get(keyOf(projection))?.text ?? '';
  }

  async #request(pod: NodePod, projection: TokenProjection, nowMs: number): Promise<Token> {
    const { name, namespace = '', uid } = pod.metadata;
    const account = pod.spec.serviceAccountName ?? 'default';
    const { audience, expirationSeconds = usualSeconds } = projection;
    const { status } = await this.#client.request<TokenAnswer>({
      method: 'POST',
      path: `${builtInPath('ServiceAccount', namespace, account)}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: audience === undefined || audience === '' ? [] : [audience],
          expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
    });
    const livesMs = Date.parse(status.expirationTimestamp) - nowMs;
    return { text: status.token, renewAtMs: nowMs + Math.max(1000, livesMs * renewAt) };
  }
}

function keyOf({ audience = '', expirationSeconds = usualSeconds }: TokenProjection): string {
  return JSON.stringify([audience, expirationSeconds]);
}
