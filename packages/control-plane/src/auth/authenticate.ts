/** Who calls: a client certificate that TLS has verified, else a bearer token. */
import type { PeerCertificate } from '@ambient/identity';

import { AuthError } from './auth-error.ts';
import type { Caller } from './caller.ts';
import { callerOfCertificate } from './client-certificate.ts';
import type { TokenReviewer } from './token-review.ts';

/** What a call brings along. */
export interface Credentials {
  /** Values of metadata `authorization`. */
  readonly authorization: readonly string[];
  /** Values of metadata `clusterid`. */
  readonly clusterIds: readonly string[];
  /** Client certificate in DER whose chain TLS has verified against the mesh's roots; absent otherwise. */
  readonly certificate?: Uint8Array | undefined;
}

export interface AuthenticatorOptions {
  /** Whom the mesh's workloads belong to, now; it is part of their names. */
  readonly trustDomain: () => string;
  /** The cluster that is asked where the caller names none. */
  readonly primaryClusterId: string;
  /** Who checks tokens, by `clusterid`. */
  readonly reviewers: ReadonlyMap<string, Pick<TokenReviewer, 'check'>>;
  readonly revoked: (certificate: PeerCertificate) => boolean;
}

/** Turns credentials into a caller. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * A certificate that proves somebody is preferred to a token, as with Istio; one that does not is passed over if there
   * is a token.
   *
   * @throws AuthError
   */
  async authenticate(credentials: Credentials): Promise<Caller> {
    const { trustDomain, revoked } = this.#options;
    const clusterId = single(credentials.clusterIds, 'clusterid') ?? '';
    const authorization = single(credentials.authorization, 'authorization');
    if (credentials.certificate !== undefined)
      try {
        return callerOfCertificate({
          certificate: credentials.certificate,
          trustDomain: trustDomain(),
          clusterId,
          revoked,
        });
      } catch (error) {
        if (authorization === undefined) throw error;
      }
    if (authorization === undefined)
      throw new AuthError(
        'no-credentials',
        'The call carries neither a token nor a usable client certificate. Mount a projected serviceAccountToken with audience istio-ca; ztunnel looks for it once, at its start.',
      );
    return this.#byToken(authorization, clusterId);
  }

  async #byToken(authorization: string, clusterId: string): Promise<Caller> {
    const bearer = /^Bearer +(\S+)$/i.exec(authorization.trim());
    if (bearer === null)
      throw new AuthError(
        'token-malformed',
        'Header authorization is not "Bearer TOKEN". Send the token as it is in its file.',
      );
    const { reviewers, primaryClusterId, trustDomain } = this.#options;
    const reviewer = reviewers.get(clusterId === '' ? primaryClusterId : clusterId);
    if (reviewer === undefined)
      throw new AuthError(
        'unknown-cluster',
        `This control plane knows no cluster ${JSON.stringify(clusterId.slice(0, 100))}. Set CLUSTER_ID of the proxy to one of: ${Array.from(reviewers.keys()).join(', ')}.`,
      );
    const { namespace, serviceAccount, pod, nodeName } = await reviewer.check(bearer[1]!);
    const identity = { trustDomain: trustDomain(), namespace, serviceAccount };
    return { identity, proof: 'token', clusterId, pod, nodeName };
  }
}

/** A header that is sent twice could be read as one value here and as the other elsewhere. */
function single(values: readonly string[], header: string): string | undefined {
  if (values.length > 1)
    throw new AuthError(
      'token-malformed',
      `Header ${header} is sent ${values.length} times. Send it once; check CA_HEADER_* and XDS_HEADER_* of the proxy.`,
    );
  return values[0];
}
