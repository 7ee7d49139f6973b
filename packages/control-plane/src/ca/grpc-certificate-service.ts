/** The certificate service on a gRPC server. */
import { grpcMethod, istio } from '@ambient/wire';
import type { google } from '@ambient/wire';
import { describeError } from '@ambient/runtime';
import type { Logger } from '@ambient/runtime';
import { status } from '@grpc/grpc-js';
import type { sendUnaryData, Server, ServerUnaryCall } from '@grpc/grpc-js';

import { AuthError } from '../auth/auth-error.ts';
import { readCredentials } from '../auth/grpc-credentials.ts';
import { CertificateError } from './certificate-error.ts';
import type { CertificateService } from './certificate-service.ts';

const { IstioCertificateRequest, IstioCertificateResponse } = istio.v1.auth;

/** Adds `CreateCertificate` to a server, beside whatever else it serves. The caller owns the server. */
export function addCertificateService(server: Server, service: CertificateService, logger: Logger): void {
  server.addService(
    {
      CreateCertificate: {
        path: grpcMethod.createCertificate,
        requestStream: false,
        responseStream: false,
        // Decoded in the handler, where a failure becomes an answer of ours.
        requestDeserialize: (bytes: Buffer) => bytes,
        requestSerialize: (bytes: Buffer) => bytes,
        responseSerialize: (certChain: string[]) =>
          Buffer.from(IstioCertificateResponse.encode({ certChain }).finish()),
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    {
      CreateCertificate: (call: ServerUnaryCall<Buffer, string[]>, reply: sendUnaryData<string[]>): void => {
        answer(call, service).then(
          (chain) => reply(null, chain),
          (error: unknown) => reply(refusal(error, logger)),
        );
      },
    },
  );
}

async function answer(
  call: ServerUnaryCall<Buffer, string[]>,
  service: CertificateService,
): Promise<string[]> {
  let request: istio.v1.auth.IstioCertificateRequest;
  try {
    request = IstioCertificateRequest.decode(call.request);
  } catch (cause) {
    throw service.refuseUnreadable(call.getPeer(), cause);
  }
  return service.createCertificate({
    csr: request.csr,
    validitySeconds: Number(request.validityDuration),
    impersonated: textOf(request.metadata?.fields?.['ImpersonatedIdentity']),
    credentials: readCredentials(call),
    remoteAddress: call.getPeer(),
  });
}

/** undefined: not there; null: there, but no text. */
function textOf(value: google.protobuf.IValue | undefined): string | null | undefined {
  if (value === undefined) return undefined;
  return value.stringValue ?? null;
}

function refusal(error: unknown, logger: Logger): { code: number; details: string } {
  if (error instanceof AuthError || error instanceof CertificateError)
    return { code: error.status, details: error.message };
  logger.error('a request for a certificate failed', { error: describeError(error) });
  return { code: status.INTERNAL, details: 'The CA failed. Look into the log of the control plane.' };
}
