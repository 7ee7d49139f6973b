/** The CA over gRPC. The library is loaded at the first call, and the connection is made again when the roots change. */
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { PeerCertificate as TlsPeer } from 'node:tls';

import type { Clock } from '@ambient/runtime';
import type { Client } from '@grpc/grpc-js';

import { readRoots } from './ca-credentials.ts';
import type { RootSource } from './ca-credentials.ts';
import { CaError } from './ca-error.ts';
import type { CaTransport, CreateCertificateCall } from './ca-transport.ts';
import { grpcFailure } from './grpc-failure.ts';
import { WatchedFile } from './watched-file.ts';

export interface GrpcCaTransportOptions {
  /** `CA_ADDRESS`: `https://HOST:PORT`; without a scheme https is meant. `http://` is for tests without TLS. */
  readonly address: string;
  readonly roots: RootSource;
  /** `ALT_CA_HOSTNAME`: a second name under which the server's certificate is accepted. */
  readonly altHostname: string | undefined;
  readonly clock: Clock;
  /** Also speak TLS 1.2 (`TLS12_ENABLED`). */
  readonly tls12?: boolean;
  /** OpenSSL group list; that of the mesh if absent. */
  readonly groups?: string;
  /** Milliseconds to be connected; 5 s if absent. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds for a whole call; 10 s if absent. */
  readonly callTimeoutMs?: number;
}

const meshGroups = 'X25519MLKEM768:X25519:P-256:P-384';
const tls13Suites = 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256';
const tls12Suites =
  'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256';
const rootDebounceMs = 500;
const rootPollMs = 10_000;

/** Where a CA listens. */
interface CaEndpoint {
  readonly secure: boolean;
  /** Without brackets. */
  readonly hostname: string;
  /** `host:port`, IPv6 in brackets. */
  readonly target: string;
}

/** Speaks to the CA; owns one channel and a watch on the root file. */
export class GrpcCaTransport implements CaTransport {
  readonly #options: GrpcCaTransportOptions;
  readonly #endpoint: CaEndpoint;
  readonly #watch: WatchedFile | undefined;
  #client: Promise<Client> | undefined;
  #closed = false;

  /** @throws CaError `ca-address` */
  constructor(options: GrpcCaTransportOptions) {
    this.#options = options;
    this.#endpoint = parseCaAddress(options.address);
    const { roots, clock } = options;
    if (roots.kind === 'file' && this.#endpoint.secure)
      this.#watch = new WatchedFile({
        path: roots.path,
        clock,
        debounceMs: rootDebounceMs,
        pollMs: rootPollMs,
        onChange: () => this.#dropClient(),
      });
  }

  async createCertificate(call: CreateCertificateCall, signal?: AbortSignal): Promise<readonly string[]> {
    const [grpc, wire, client] = await Promise.all([
      import('@grpc/grpc-js'),
      import('@ambient/wire'),
      this.#connect(),
    ]);
    signal?.throwIfAborted();
    const { IstioCertificateRequest, IstioCertificateResponse } = wire.istio.v1.auth;
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries(call.headers)) metadata.set(name, value);
    const { connectTimeoutMs = 5000, callTimeoutMs = 10_000 } = this.#options;
    const { target } = this.#endpoint;

    return new Promise((resolve, reject) => {
      let timedOutConnecting = false;
      const onAbort = (): void => running.cancel();
      const running = client.makeUnaryRequest(
        wire.grpcMethod.createCertificate,
        (request: CreateCertificateCall) =>
          Buffer.from(IstioCertificateRequest.encode(toWire(request)).finish()),
        (bytes: Buffer) => bytes,
        call,
        metadata,
        { deadline: Date.now() + callTimeoutMs },
        (error, bytes) => {
          connecting[Symbol.dispose]();
          signal?.removeEventListener('abort', onAbort);
          if (timedOutConnecting)
            reject(
              new CaError(
                'ca-connect-timeout',
                `The CA at ${target} did not answer within ${connectTimeoutMs} ms. Check CA_ADDRESS, the control plane's pods, and NetworkPolicies on its port.`,
              ),
            );
          else if (error !== null) reject(grpcFailure(error, target));
          else {
            try {
              resolve(IstioCertificateResponse.decode(bytes ?? new Uint8Array()).certChain);
            } catch (cause) {
              reject(
                new CaError(
                  'ca-reply-unreadable',
                  `The reply of ${target} is no certificate reply. Check that CA_ADDRESS is an Istio CA.`,
                  { cause },
                ),
              );
            }
          }
        },
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      // The call waits for the connection until its own deadline, so the shorter one for connecting is watched here.
      const connecting = this.#options.clock.setTimer(connectTimeoutMs, () => {
        if (client.getChannel().getConnectivityState(false) === grpc.connectivityState.READY) return;
        timedOutConnecting = true;
        running.cancel();
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#watch?.[Symbol.dispose]();
    this.#dropClient();
  }

  #dropClient(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  #connect(): Promise<Client> {
    if (this.#closed)
      return Promise.reject(
        new CaError('ca-cancelled', 'The client of the CA is closed; the proxy is stopping.'),
      );
    if (this.#client !== undefined) return this.#client;
    const opening = this.#open();
    this.#client = opening;
    // A root file that could not be read is read again at the next call.
    opening.catch(() => {
      if (this.#client === opening) this.#client = undefined;
    });
    return opening;
  }

  async #open(): Promise<Client> {
    const { Client, credentials } = await import('@grpc/grpc-js');
    const { secure, hostname, target } = this.#endpoint;
    const options = {
      // Istio's ztunnel pings every 30 s; the control plane's ping enforcement allows that.
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      // Certificates are retried by the cache, which knows who waits; the channel must be ready when it does.
      'grpc.enable_retries': 0,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      // A channel of its own: another one's sockets were checked against other roots.
      'grpc.use_local_subchannel_pool': 1,
      // RFC 6066 allows no address as SNI; the name that is checked is ours anyway.
      ...(isIP(hostname) === 0 ? {} : { 'grpc.ssl_target_name_override': 'localhost' }),
    };
    if (!secure) return new Client(target, credentials.createInsecure(), options);
    const { tls12 = false, groups = meshGroups, altHostname, roots } = this.#options;
    const context = createSecureContext({
      ca: await readRoots(roots),
      minVersion: tls12 ? 'TLSv1.2' : 'TLSv1.3',
      ciphers: tls12 ? `${tls13Suites}:${tls12Suites}` : tls13Suites,
      ecdhCurve: groups,
    });
    const verify = {
      checkServerIdentity: (_host: string, certificate: TlsPeer): Error | undefined => {
        const error = checkServerIdentity(hostname, certificate);
        return error === undefined || altHostname === undefined
          ? error
          : checkServerIdentity(altHostname, certificate);
      },
    };
    return new Client(target, credentials.createFromSecureContext(context, verify), options);
  }
}

function toWire(call: CreateCertificateCall) {
  const { csr, validitySeconds, impersonatedIdentity } = call;
  return {
    csr,
    validityDuration: validitySeconds,
    metadata:
      impersonatedIdentity === undefined
        ? null
        : { fields: { ImpersonatedIdentity: { stringValue: impersonatedIdentity } } },
  };
}

/** @throws CaError `ca-address` */
export function parseCaAddress(address: string): CaEndpoint {
  const text = address.includes('://') ? address : `https://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !['https:', 'http:'].includes(url.protocol) ||
    url.hostname === '' ||
    url.username !== '' ||
    !['', '/'].includes(url.pathname + url.search + url.hash)
  )
    throw new CaError(
      'ca-address',
      `CA_ADDRESS ${JSON.stringify(address)} is no address. Write https://HOST:PORT.`,
    );
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? '443' : '80') : url.port;
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { secure, hostname, target: `${url.hostname}:${port}` };
}
