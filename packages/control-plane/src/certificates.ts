import { Authenticator } from './auth/authenticate.ts';
import { NodeAuthorizer } from './auth/node-authorization.ts';
import type { PodLookup } from './auth/node-authorization.ts';
import { TokenReviewer } from './auth/token-review.ts';
import type { TokenReviewStatus } from './auth/token-review.ts';
import { CaAudit } from './ca/audit.ts';
import { AuthorityKeeper, caSecretNames } from './ca/authority-keeper.ts';
import type { CaMetricsSink } from './ca/ca-metrics.ts';
import { CertificateService, defaultCallerLimits } from './ca/certificate-service.ts';
import { IssuedKeeper } from './ca/issued-keeper.ts';
import { IssuedLog } from './ca/issued-log.ts';
import { revocationSecretName } from './ca/revocation-edit.ts';
import { RevocationKeeper } from './ca/revocation-keeper.ts';
import { ServingCertificate, servingNames } from './ca/serving-certificate.ts';
import type { Clock, Logger } from '@ambient/runtime';

import type { KubeClient } from '@ambient/kube';
import { SecretWatch } from './watch/secret-watch.ts';
import { KubeSecrets } from './ca/kubernetes-secrets.ts';
import type { ControlPlaneSettings } from './settings/settings.ts';

export interface CertificatesOptions {
  readonly settings: ControlPlaneSettings;
  readonly client: KubeClient;
  readonly pods: PodLookup;
  /** Trust domain of the mesh, now. */
  readonly trustDomain: () => string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: CaMetricsSink;
}

const servingLifetimeMs = 24 * 60 * 60 * 1000;
/** A process that ends has ten seconds for everything. */
const storePatienceMs = 3000;

/** All that has to do with certificates: who signs, who may ask, what was revoked, and what this process serves with. */
export class Certificates {
  readonly authorities: AuthorityKeeper;
  readonly revocations: RevocationKeeper;
  readonly issued: IssuedKeeper;
  readonly authenticator: Authenticator;
  readonly service: CertificateService;
  readonly serving: ServingCertificate;
  /** What another replica or an operator writes is heeded at once. */
  readonly #watch: SecretWatch;
  readonly #listeners = new Set<() => void>();

  constructor({ settings, client, pods, trustDomain, clock, log, metrics }: CertificatesOptions) {
    const { cluster, certificates } = settings;
    const secrets = new KubeSecrets(client, cluster.namespace);
    const issued = new IssuedLog();
    this.issued = new IssuedKeeper({ secrets, log: issued, clock, logger: log, metrics });
    const trust = (): AuthorityKeeper['state'] => this.authorities.state;
    this.authorities = new AuthorityKeeper({
      secrets,
      folder: certificates.folder,
      selfSigned: {
        keyType: certificates.rootKeyType,
        lifetimeMs: certificates.selfSignedTtlMs,
        trustDomain: trustDomain(),
      },
      overlapMs: certificates.rootOverlapMs,
      clock,
      logger: log,
      metrics,
    });
    this.revocations = new RevocationKeeper({
      secrets,
      trust,
      issued,
      stored: (identity) => this.issued.stored(identity),
      maxTtlMs: certificates.maxTtlMs,
      clock,
      logger: log,
      metrics,
    });
    const reviewer = new TokenReviewer({
      clock,
      review: (token, audiences) => review(client, token, audiences),
    });
    this.authenticator = new Authenticator({
      trustDomain,
      primaryClusterId: cluster.clusterId,
      reviewers: new Map([[cluster.clusterId, reviewer]]),
      revoked: ({ serialNumber }) => this.revocations.isRevoked(serialNumber),
    });
    this.service = new CertificateService({
      authenticator: this.authenticator,
      nodes: new NodeAuthorizer({
        trustedAccounts: new Set(certificates.trustedNodeAccounts),
        trustDomain,
        clusters: new Map([[cluster.clusterId, pods]]),
      }),
      trust,
      defaultTtlMs: certificates.defaultTtlMs,
      maxTtlMs: certificates.maxTtlMs,
      nodeAgentLimit: defaultCallerLimits.nodeAgent,
      workloadLimit: defaultCallerLimits.workload,
      unprovenLimit: defaultCallerLimits.unproven,
      audit: new CaAudit(log.scope('ca-audit')),
      issued: this.issued,
      metrics,
      clock,
    });
    this.serving = new ServingCertificate({
      trust,
      dnsNames: servingNames(cluster.namespace, cluster.revision, [...certificates.customHosts, 'localhost']),
      lifetimeMs: servingLifetimeMs,
      clock,
      logger: log,
    });
    this.#watch = new SecretWatch({
      client,
      namespace: cluster.namespace,
      names: [...Object.values(caSecretNames), revocationSecretName],
      onChange: (name) =>
        void (name === revocationSecretName ? this.revocations.refresh() : this.authorities.refresh()),
      clock,
      log,
    });
    this.authorities.onChange(() => void this.#trustChanged());
    this.revocations.onChange(() => this.#tell());
  }

  /** Reads the CA, or makes one. @throws CaMaterialError, and the API's errors */
  async start(): Promise<void> {
    await this.authorities.start();
    await this.revocations.refresh();
    await this.serving.start();
    this.#watch.start();
  }

  /** This replica moves rotations and signs revocation lists from now on. */
  async lead(): Promise<void> {
    await this.authorities.lead();
    await this.revocations.lead();
  }

  stopLeading(): void {
    this.authorities.stopLeading();
    this.revocations.stopLeading();
  }

  /** Calls `listener` after roots or revocation lists have changed; disposing ends that. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** What was issued last is stored first, as far as the API server takes it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    const late = Promise.withResolvers<void>();
    const patience = setTimeout(late.resolve, storePatienceMs);
    await Promise.race([this.issued.store(), late.promise]);
    clearTimeout(patience);
    this.#watch[Symbol.dispose]();
    this.authorities[Symbol.dispose]();
    this.revocations[Symbol.dispose]();
    this.issued[Symbol.dispose]();
    this.serving[Symbol.dispose]();
  }

  async #trustChanged(): Promise<void> {
    await this.serving.trustChanged();
    await this.revocations.refresh();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

async function review(
  client: KubeClient,
  token: string,
  audiences: readonly string[],
): Promise<TokenReviewStatus> {
  const answer = await client.request<{ readonly status?: TokenReviewStatus }>({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } },
    timeoutMs: 10_000,
    repeatable: true,
  });
  return answer.status ?? {};
}
