/** Workloads as the CA sees them: each asks for itself with its own token, over TLS. */
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createCsr, generateKeyPair } from '@ambient/identity';
import type { KeyPair } from '@ambient/identity';
import { grpcMethod, istio } from '@ambient/wire';
import type { AccountToken } from './api.ts';
import { serve } from './serve.ts';

interface CertificateLoad {
  /** `host:port`. */
  readonly address: string;
  readonly accounts: readonly AccountToken[];
  /** Of each account. */
  readonly requests: number;
}

const { IstioCertificateRequest, IstioCertificateResponse } = istio.v1.auth;
const channels = 4;
const callsAtOnce = 64;
/** Names are no addresses in TLS. */
const channelOptions = { 'grpc.use_local_subchannel_pool': 1, 'grpc.ssl_target_name_override': 'localhost' };

const handlers = {
  /** @returns certificates that came @throws for the first that did not */
  async request({ address, accounts, requests }: CertificateLoad): Promise<number> {
    // The bench measures what signing costs, and trusts whoever answers on loopback.
    const anyServer = credentials.createSsl(null, null, null, {
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const clients = Array.from({ length: channels }, () => new Client(address, anyServer, channelOptions));
    const keyPair = generateKeyPair();
    const calls = await Promise.all(accounts.map((account) => callOf(account, keyPair)));
    const total = calls.length * requests;
    let next = 0;
    const caller = async (client: Client): Promise<void> => {
      while (next < total) await request(client, calls[next++ % calls.length]!);
    };
    await Promise.all(Array.from({ length: callsAtOnce }, (_, i) => caller(clients[i % channels]!)));
    for (const client of clients) client.close();
    return total;
  },
};

export type CertificatesProgram = typeof handlers;

interface Call {
  readonly body: Buffer;
  readonly metadata: Metadata;
}

async function callOf({ token, ...account }: AccountToken, keyPair: KeyPair): Promise<Call> {
  const csr = await createCsr({ trustDomain: 'cluster.local', ...account }, keyPair);
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const body = IstioCertificateRequest.encode({ csr, validityDuration: 86_400 }).finish();
  return { body: Buffer.from(body), metadata };
}

function request(client: Client, { body, metadata }: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      grpcMethod.createCertificate,
      (request: Buffer) => request,
      (bytes: Buffer) => IstioCertificateResponse.decode(bytes),
      body,
      metadata,
      (error, response) => {
        if (error !== null) reject(error);
        else if ((response?.certChain.length ?? 0) < 2) reject(new Error('no chain in the response'));
        else resolve();
      },
    );
  });
}

serve(handlers);
