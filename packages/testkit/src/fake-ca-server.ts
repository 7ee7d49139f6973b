import type { Duplex } from 'node:stream';
import { parseCsr, parseSpiffe } from '@ambient/identity';
import type { FakeCa, FakeCertificateOptions } from '@ambient/identity';
import { grpcMethod, istio } from '@ambient/wire';
import type { ConnectionInjector, Metadata, Server } from '@grpc/grpc-js';

type Request = istio.v1.auth.IstioCertificateRequest;
type Reply = (error: object | null, chain?: readonly string[] | 'garbage') => void;

/** What the fake CA does with a request: sign it, or one of the ways in which a CA can be wrong. */
export type FakeCaBehaviour =
  | 'sign'
  | 'sign-for-somebody-else'
  /** The call stays open. */
  | 'never'
  /** Bytes that are no message. */
  | 'garbage'
  /** A status of gRPC. */
  | { readonly code: number; readonly details: string };

/** A request that came. */
export interface FakeCaRequest {
  readonly metadata: Readonly<Record<string, string>>;
  readonly validitySeconds: number;
  /** The identity that a shared proxy acts for. */
  readonly impersonated: string | undefined;
}

export interface FakeCaServerOptions {
  /** Signs; and issues the server's own certificate. */
  readonly ca: FakeCa;
  /** Name in the server's certificate; `localhost` if absent. */
  readonly dnsName?: string;
  /** On 127.0.0.1; 0, the default, takes any free port. null: only connections that are handed over by `inject`. */
  readonly port?: number | null;
}

/** Istio's certificate service over gRPC and TLS, with a throwaway CA behind it. Tests own it and stop it. */
export class FakeCaServer {
  readonly ca: FakeCa;
  /** Every request so far, oldest first. */
  readonly seen: FakeCaRequest[] = [];
  behaviour: FakeCaBehaviour = 'sign';
  /** How the certificates differ from good ones, asked at each signature. */
  certificateOptions: () => FakeCertificateOptions = () => ({});
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  #port = 0;

  private constructor(ca: FakeCa, server: Server, injector: ConnectionInjector) {
    this.ca = ca;
    this.#server = server;
    this.#injector = injector;
  }

  static async start({ ca, dnsName = 'localhost', port = 0 }: FakeCaServerOptions): Promise<FakeCaServer> {
    // Loaded late: most users of this package need no gRPC.
    const { Server, ServerCredentials } = await import('@grpc/grpc-js');
    const { certificatePem, privateKeyPem } = await ca.issueServer([dnsName]);
    const credentials = ServerCredentials.createSsl(null, [
      { cert_chain: Buffer.from(certificatePem), private_key: Buffer.from(privateKeyPem) },
    ]);
    const server = new Server();
    const fake = new FakeCaServer(ca, server, server.createConnectionInjector(credentials));
    fake.#addService();
    if (port !== null)
      fake.#port = await new Promise<number>((resolve, reject) =>
        server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
          error === null ? resolve(bound) : reject(error),
        ),
      );
    return fake;
  }

  /** 0 if it listens nowhere. */
  get port(): number {
    return this.#port;
  }

  /** Serves a connection that somebody else accepted, such as inside a network namespace. */
  inject(connection: Duplex): void {
    this.#injector.injectConnection(connection);
  }

  /** Cuts every connection and stops listening. */
  stop(): void {
    this.#injector.destroy();
    this.#server.forceShutdown();
  }

  #addService(): void {
    const { IstioCertificateRequest, IstioCertificateResponse } = istio.v1.auth;
    this.#server.addService(
      {
        CreateCertificate: {
          path: grpcMethod.createCertificate,
          requestStream: false,
          responseStream: false,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => IstioCertificateRequest.decode(bytes),
          responseSerialize: (chain: string[] | 'garbage') =>
            chain === 'garbage'
              ? Buffer.from([0x0a, 0xff])
              : Buffer.from(IstioCertificateResponse.encode({ certChain: chain }).finish()),
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      {
        CreateCertificate: (call: { request: Request; metadata: Metadata }, reply: Reply) =>
          void this.#answer(call.request, call.metadata, reply),
      },
    );
  }

  async #answer(request: Request, metadata: Metadata, reply: Reply): Promise<void> {
    const { behaviour } = this;
    const impersonated = request.metadata?.fields?.['ImpersonatedIdentity']?.stringValue ?? undefined;
    this.seen.push({
      metadata: metadata.getMap() as Record<string, string>,
      validitySeconds: Number(request.validityDuration),
      impersonated,
    });
    if (typeof behaviour === 'object') return reply(behaviour);
    if (behaviour === 'garbage') return reply(null, 'garbage');
    if (behaviour === 'never') return;
    const { publicKeyDer, uriSans } = parseCsr(request.csr);
    const wanted = parseSpiffe(impersonated ?? uriSans[0]!)!;
    const identity = behaviour === 'sign' ? wanted : { ...wanted, serviceAccount: 'admin' };
    reply(null, await this.ca.signChain(identity, publicKeyDer, this.certificateOptions()));
  }
}
