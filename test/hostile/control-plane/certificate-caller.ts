import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js';
import { createCsr, generateKeyPair } from '@ambient/identity';
import type { Identity } from '@ambient/identity';
import { grpcMethod, istio } from '@ambient/wire';
import type { google } from '@ambient/wire';

const { IstioCertificateRequest, IstioCertificateResponse } = istio.v1.auth;

/** One call for a certificate. */
export interface CertificateOrder {
  /** `Bearer` is put before it; none is sent if absent. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** ImpersonatedIdentity, as text or as whatever else a protobuf Value can be. */
  readonly impersonate?: string | google.protobuf.IValue;
  /** In place of one of our making. */
  readonly csr?: string;
  readonly seconds?: number;
}

/** What came of it: the chain, or the status. */
export type CertificateOutcome =
  | { readonly kind: 'issued'; readonly chain: readonly string[] }
  | { readonly kind: 'refused'; readonly code: number; readonly details: string };

const someone: Identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' };

/** Asks the control plane's CA for certificates, politely or not. */
export class CertificateCaller implements Disposable {
  readonly #client: Client;
  readonly #keyPair = generateKeyPair();

  constructor(address: string, channel: ChannelCredentials) {
    this.#client = new Client(address, channel, { 'grpc.use_local_subchannel_pool': 1 });
  }

  /** Credentials of a client that trusts these roots, and is known by its token alone. */
  static trusting(roots: string): ChannelCredentials {
    return credentials.createSsl(Buffer.from(roots));
  }

  async ask(order: CertificateOrder): Promise<CertificateOutcome> {
    const metadata = new Metadata();
    if (order.token !== undefined) metadata.set('authorization', `Bearer ${order.token}`);
    for (const [name, value] of Object.entries(order.headers ?? {})) metadata.add(name, value);
    const csr = order.csr ?? (await createCsr(someone, this.#keyPair));
    const { impersonate } = order;
    const value = typeof impersonate === 'string' ? { stringValue: impersonate } : impersonate;
    const request = {
      csr,
      validityDuration: order.seconds ?? 3600,
      ...(value === undefined ? {} : { metadata: { fields: { ImpersonatedIdentity: value } } }),
    };
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        grpcMethod.createCertificate,
        (sent: istio.v1.auth.IIstioCertificateRequest) =>
          Buffer.from(IstioCertificateRequest.encode(sent).finish()),
        (bytes) => IstioCertificateResponse.decode(bytes),
        request,
        metadata,
        { deadline: Date.now() + 10_000 },
        (error: ServiceError | null, answer?: istio.v1.auth.IstioCertificateResponse) => {
          if (error !== null) resolve({ kind: 'refused', code: error.code, details: error.details });
          else resolve({ kind: 'issued', chain: answer?.certChain ?? [] });
        },
      );
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
