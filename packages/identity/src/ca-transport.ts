/** One call of `istio.v1.auth.IstioCertificateService/CreateCertificate`, free of how it travels. */
export interface CreateCertificateCall {
  /** PEM. */
  readonly csr: string;
  readonly validitySeconds: number;
  /** SPIFFE URI of the workload to act for; undefined: the caller's own, as its token says. */
  readonly impersonatedIdentity: string | undefined;
  /** Metadata, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface CaTransport {
  /**
   * @returns `cert_chain`: leaf, intermediates, and as last element the roots
   * @throws CaError
   */
  createCertificate(call: CreateCertificateCall, signal?: AbortSignal): Promise<readonly string[]>;
  close(): void;
}
