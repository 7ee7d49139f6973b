/** `istio.v1.auth.IstioCertificateService/CreateCertificate`, free of how calls travel. */
import { formatSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import { toHex, toPem } from '@ambient/identity/signing';
import type { Clock } from '@ambient/runtime';

import { AuthError } from '../auth/auth-error.ts';
import type { Authenticator, Credentials } from '../auth/authenticate.ts';
import type { Caller } from '../auth/caller.ts';
import type { NodeAuthorizer } from '../auth/node-authorization.ts';
import { AddressLimits } from './address-limits.ts';
import type { AuditedRequest, CaAudit } from './audit.ts';
import type { CaMetricsSink } from './ca-metrics.ts';
import type { CallerLimit } from './caller-limits.ts';
import { CallerLimits } from './caller-limits.ts';
import { CertificateError } from './certificate-error.ts';
import type { IssuedLog } from './issued-log.ts';
import { LeafTemplate } from './leaf-template.ts';
import { checkCsr, grantLifetime } from './request-check.ts';
import type { TrustState } from './rotation.ts';
import { randomSerial } from './serial-number.ts';
import type { SigningAuthority } from './signing-authority.ts';

/** One call. */
export interface CertificateCall {
  /** PEM. */
  readonly csr: string;
  /** 0 or less: the default. */
  readonly validitySeconds: number;
  /**
   * `ImpersonatedIdentity`: the text that was sent; undefined or '' if none was, so that the caller asks for itself;
   * null if it is no text.
   */
  readonly impersonated: string | null | undefined;
  readonly credentials: Credentials;
  /** For the audit. */
  readonly remoteAddress: string;
}

export interface CertificateServiceOptions {
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly nodes: Pick<NodeAuthorizer, 'authorize' | 'isNodeAgent'>;
  /** Who signs and what is trusted, now. */
  readonly trust: () => TrustState;
  readonly defaultTtlMs: number;
  readonly maxTtlMs: number;
  /** A node agent asks for all workloads of its node when it starts. */
  readonly nodeAgentLimit: CallerLimit;
  readonly workloadLimit: CallerLimit;
  /** Calls of one address that do not prove who they are. */
  readonly unprovenLimit: CallerLimit;
  readonly audit: CaAudit;
  readonly issued: Pick<IssuedLog, 'add'>;
  readonly metrics: CaMetricsSink;
  readonly clock: Clock;
}

/**
 * Defaults of the limits: a node of 250 pods restarts four times in a minute; a workload that asks 20 times is broken; an
 * address with 200 calls that have not proven themselves yet is not a node that starts.
 */
export const defaultCallerLimits = {
  nodeAgent: { burst: 1000, perSecond: 50 },
  workload: { burst: 20, perSecond: 0.5 },
  unproven: { burst: 200, perSecond: 10 },
} as const satisfies Record<string, CallerLimit>;

/**
 * Issues certificates. A call runs through five phases: whether its address may ask at all, who calls, how often, for whom,
 * and with which key and lifetime.
 */
export class CertificateService {
  readonly #options: CertificateServiceOptions;
  readonly #limits = new CallerLimits();
  readonly #addresses: AddressLimits;
  #template: { readonly authority: SigningAuthority; readonly ready: Promise<LeafTemplate> } | undefined;

  constructor(options: CertificateServiceOptions) {
    this.#options = options;
    this.#addresses = new AddressLimits(options.unprovenLimit);
  }

  /**
   * @returns `cert_chain`: PEM of the leaf, of each intermediate, and as last element of all trusted roots
   * @throws AuthError, CertificateError; anything else is a mistake in the program
   */
  async createCertificate(call: CertificateCall): Promise<string[]> {
    const { audit, metrics } = this.#options;
    const impersonated = call.impersonated === '' ? undefined : call.impersonated;
    let request: AuditedRequest = {
      caller: undefined,
      remoteAddress: call.remoteAddress,
      impersonated: impersonated ?? undefined,
    };
    this.#admit(request);
    try {
      const caller = await this.#authenticate(call);
      request = { ...request, caller };
      this.#limit(caller);
      const { identity, nodeName } = this.#subject(caller, impersonated);
      const issued = await this.#issue(call, identity);
      audit.issued(request, { ...issued, identity, nodeName });
      metrics.add('ca_certificates_issued_total', [impersonated === undefined ? 'false' : 'true']);
      return issued.chain;
    } catch (error) {
      this.#refused(request, error);
      throw error;
    }
  }

  /**
   * Takes note of a call whose message cannot be read.
   *
   * @returns what to answer
   */
  refuseUnreadable(remoteAddress: string, cause: unknown): CertificateError {
    const request: AuditedRequest = { caller: undefined, remoteAddress, impersonated: undefined };
    try {
      this.#admit(request);
    } catch (error) {
      if (error instanceof CertificateError) return error;
      throw error;
    }
    const error = new CertificateError(
      'malformed-request',
      'The request is no IstioCertificateRequest. Check the version of the proxy.',
      { cause },
    );
    this.#refused(request, error);
    return error;
  }

  /** @throws CertificateError `address-limited` */
  #admit(request: AuditedRequest): void {
    const { clock, metrics } = this.#options;
    const admission = this.#addresses.admit(request.remoteAddress, clock.nowMs());
    if (admission.kind === 'admitted') return;
    const error = new CertificateError(
      'address-limited',
      `Too many calls of this address have not proven who they are; come again in ${Math.ceil(admission.waitMs / 1000)} s. Look for what calls from there without a valid token.`,
    );
    if (admission.first) this.#refused(request, error);
    else metrics.add('ca_certificates_refused_total', [error.code]);
    throw error;
  }

  async #authenticate({ credentials, remoteAddress }: CertificateCall): Promise<Caller> {
    try {
      const caller = await this.#options.authenticator.authenticate(credentials);
      this.#addresses.giveBack(remoteAddress);
      return caller;
    } catch (error) {
      // An API server that is away is no fault of the caller.
      if (error instanceof AuthError && error.code === 'token-review-unavailable')
        this.#addresses.giveBack(remoteAddress);
      throw error;
    }
  }

  #refused(request: AuditedRequest, error: unknown): void {
    const { audit, metrics } = this.#options;
    const known = error instanceof AuthError || error instanceof CertificateError;
    const code = known ? error.code : 'internal';
    const text = known ? error.message : 'The CA failed; see the log of the control plane.';
    audit.refused(request, code, text);
    metrics.add('ca_certificates_refused_total', [code]);
  }

  #limit(caller: Caller): void {
    const { nodes, nodeAgentLimit, workloadLimit, clock } = this.#options;
    const { namespace, serviceAccount } = caller.identity;
    const limit = nodes.isNodeAgent(caller) ? nodeAgentLimit : workloadLimit;
    // By pod where it is known: many pods share an account.
    const key = `${caller.clusterId}/${namespace}/${serviceAccount}/${caller.pod?.uid ?? caller.proof}`;
    const waitMs = this.#limits.take(key, limit, clock.nowMs());
    if (waitMs > 0)
      throw new CertificateError(
        'rate-limited',
        `${namespace}/${serviceAccount} asks for certificates too often; come again in ${Math.ceil(waitMs / 1000)} s. Look into its log for what makes it ask; if it is right, raise the CA's rate limits.`,
      );
  }

  #subject(
    caller: Caller,
    impersonated: string | null | undefined,
  ): { readonly identity: Identity; readonly nodeName: string | undefined } {
    if (impersonated === undefined) return { identity: caller.identity, nodeName: caller.nodeName };
    if (impersonated === null)
      throw new AuthError(
        'impersonation-malformed',
        'ImpersonatedIdentity is no text. Check the version of ztunnel.',
      );
    return this.#options.nodes.authorize(caller, impersonated);
  }

  async #issue(call: CertificateCall, identity: Identity) {
    const { trust, defaultTtlMs, maxTtlMs, clock, issued } = this.#options;
    const { publicKeyDer } = checkCsr(call.csr);
    const { signing, roots } = trust();
    const nowMs = clock.nowMs();
    const lifetime = grantLifetime(
      call.validitySeconds,
      { defaultTtlMs, maxTtlMs, authorityNotAfterMs: signing.notAfterMs },
      nowMs,
    );
    const serial = randomSerial();
    const template = await this.#templateOf(signing);
    const der = await template.issue({
      publicKeyDer,
      serialNumber: serial,
      ...lifetime,
      uri: formatSpiffe(identity),
    });
    const serialNumber = toHex(serial);
    issued.add(identity, { serialNumber, issuedMs: nowMs, notAfterMs: lifetime.notAfterMs });
    return {
      chain: [toPem(der, 'CERTIFICATE'), ...signing.intermediatesPem, roots.map(({ pem }) => pem).join('')],
      serialNumber,
      notAfterMs: lifetime.notAfterMs,
      authorityId: signing.id,
    };
  }

  #templateOf(authority: SigningAuthority): Promise<LeafTemplate> {
    if (this.#template?.authority !== authority)
      this.#template = { authority, ready: LeafTemplate.of(authority) };
    return this.#template.ready;
  }
}
