import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';

import type { ListenAddress } from '../settings/schema.ts';

/** A port cannot be listened on; the text names the setting to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'listen';
}

/** @returns the port, of interest if 0 was asked for @throws ListenError */
export function listenHttp(
  server: HttpServer,
  { host, port }: ListenAddress,
  setting: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(setting, port, cause)));
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** @returns the port @throws ListenError */
export function listenGrpc(
  server: GrpcServer,
  { host = '[::]', port }: ListenAddress,
  credentials: ServerCredentials,
  setting: string,
): Promise<number> {
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return new Promise((resolve, reject) => {
    server.bindAsync(`${name}:${port}`, credentials, (cause, bound) => {
      if (cause === null) resolve(bound);
      else reject(listenError(setting, port, cause));
    });
  });
}

function listenError(setting: string, port: number, cause: Error): ListenError {
  return new ListenError(`cannot listen on port ${port} (${setting}): ${cause.message}`, { cause });
}
