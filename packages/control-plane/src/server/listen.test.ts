import { createServer } from 'node:http';
import { expect } from 'chai';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';

import { listenGrpc, listenHttp, ListenError } from './listen.ts';

describe('listening', () => {
  it('gives the port that was found free, and names the setting of one that is taken', async () => {
    const server = createServer();
    const second = createServer();
    const grpc = new GrpcServer();
    try {
      const port = await listenHttp(server, { host: '127.0.0.1', port: 0 }, 'HTTP_ADDRESS');
      expect(port).to.be.above(0);
      const taken = { host: '127.0.0.1', port };
      const errors = await Promise.all([
        listenHttp(second, taken, 'MONITORING_ADDRESS').catch((error: unknown) => error),
        listenGrpc(grpc, taken, ServerCredentials.createInsecure(), 'SECURE_GRPC_ADDRESS').catch(
          (error: unknown) => error,
        ),
      ]);
      for (const error of errors) expect(error).to.be.instanceOf(ListenError).with.property('code', 'listen');
      const messages = errors.map((error) => (error as Error).message);
      expect(messages[0]).to.contain('(MONITORING_ADDRESS)');
      expect(messages[1]).to.contain('(SECURE_GRPC_ADDRESS)');
    } finally {
      server.close();
      grpc.forceShutdown();
    }
  });

  it('takes an IPv6 address without brackets', async () => {
    const grpc = new GrpcServer();
    try {
      const credentials = ServerCredentials.createInsecure();
      expect(await listenGrpc(grpc, { host: '::1', port: 0 }, credentials, 'X')).to.be.above(0);
    } finally {
      grpc.forceShutdown();
    }
  });
});
