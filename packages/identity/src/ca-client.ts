/** The client of a mesh CA, as Istio's ztunnel is one. Main thread only. */
import { readToken } from './ca-credentials.ts';
import type { TokenSource } from './ca-credentials.ts';
import { CaError } from './ca-error.ts';
import type { CaTransport } from './ca-transport.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { readCertificateReply } from './certificate.ts';
import type { WorkloadCertificate } from './certificate.ts';
import { createCsr } from './csr.ts';
import { generateKeyPair } from './key-pair.ts';
import { formatSpiffe } from './spiffe.ts';
import type { Identity } from './spiffe.ts';

export interface CaClientOptions {
  readonly transport: CaTransport;
  readonly token: TokenSource;
  /** `CLUSTER_ID`; the CA picks by it the cluster that checks the token. Sent only beside a token. */
  readonly clusterId: string;
  /** Further metadata (`CA_HEADER_*`). */
  readonly headers: Readonly<Record<string, string>>;
  /** Shared mode: ask for the certificate of a workload of this node, not for our own. */
  readonly impersonate: boolean;
  /** Wanted lifetime (`SECRET_TTL`), seconds. */
  readonly ttlSeconds: number;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Asks the CA for certificates, each with a new key that never leaves this process. */
export class CaClient implements CertificateAuthority {
  readonly #options: CaClientOptions;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws CaError `ca-address` if a header's name or value cannot be sent */
  constructor(options: CaClientOptions) {
    this.#options = options;
    this.#headers = checkHeaders(options.headers);
  }

  /** @throws CaError, CertificateReplyError */
  async fetch(identity: Identity, signal?: AbortSignal): Promise<WorkloadCertificate> {
    const { transport, token, clusterId, impersonate, ttlSeconds, now } = this.#options;
    const keyPair = generateKeyPair();
    const csr = await createCsr(identity, keyPair);
    const headers: Record<string, string> = { ...this.#headers };
    const bearer = await readToken(token);
    if (bearer !== undefined) {
      headers['authorization'] = `Bearer ${bearer}`;
      headers['clusterid'] = clusterId;
    }
    const certChain = await transport.createCertificate(
      {
        csr,
        validitySeconds: ttlSeconds,
        impersonatedIdentity: impersonate ? formatSpiffe(identity) : undefined,
        headers,
      },
      signal,
    );
    return readCertificateReply({ identity, keyPair, certChain, pinIdentity: impersonate, nowMs: now() });
  }

  close(): void {
    this.#options.transport.close();
  }
}

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // gRPC metadata names; "-bin" would be base64 and "grpc-" belongs to the protocol.
    if (!/^[0-9a-z_.-]+$/i.test(name) || /^grpc-|-bin$/i.test(name) || !/^[\x20-\x7e]*$/.test(value))
      throw new CaError(
        'ca-address',
        `CA_HEADER_${name} cannot be sent as gRPC metadata. Use letters, digits, dash, dot and underscore in its name and printable ASCII in its value.`,
      );
    checked[name.toLowerCase()] = value;
  }
  return checked;
}
