import { expect } from 'chai';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import type { PeerCertificate, TlsOptions } from 'node:tls';

import { Authority } from './authority.test-data.ts';
import { serverNameCheck, serverTrustContext } from './server-trust.ts';
import type { ServerTrust } from './server-trust.ts';

const authority = new Authority();

/** Protocol and suite of a handshake between this trust and a server with these options, or the client's error. */
async function handshake(trust: Partial<ServerTrust>, options: TlsOptions): Promise<string> {
  const server = createServer({ ...authority.issue('localhost'), ...options }).listen(0, '127.0.0.1');
  server.on('tlsClientError', () => {});
  await once(server, 'listening');
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername: 'localhost',
    secureContext: serverTrustContext({ rootCa: authority.root, ...trust }),
  });
  try {
    await once(socket, 'secureConnect');
    return `${socket.getProtocol()} ${socket.getCipher().standardName}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('serverTrustContext', () => {
  it('speaks TLS 1.3 with AES-GCM', async () => {
    expect(await handshake({}, {})).to.equal('TLSv1.3 TLS_AES_256_GCM_SHA384');
  });

  it('refuses TLS 1.2 unless that is enabled', async () => {
    const old = { maxVersion: 'TLSv1.2' } as const;
    expect(await handshake({}, old)).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    expect(await handshake({ tls12: true }, old)).to.match(/^TLSv1\.2 TLS_ECDHE_RSA_WITH_AES_\d+_GCM/);
    expect(await handshake({ tls12: true }, {})).to.match(/^TLSv1\.3/);
  });

  it('agrees on keys by the hybrid group alone, if that is demanded', async () => {
    const classic = { ecdhCurve: 'X25519:P-256:P-384' };
    expect(await handshake({}, classic)).to.match(/^TLSv1\.3/);
    expect(await handshake({ postQuantumOnly: true }, classic)).to.match(/HANDSHAKE_FAILURE$/);
    expect(await handshake({ postQuantumOnly: true }, { ecdhCurve: 'X25519MLKEM768' })).to.match(/^TLSv1\.3/);
  });

  it('takes the roots of the machine for SYSTEM, and no file without a certificate', () => {
    expect(() => serverTrustContext({ rootCa: 'SYSTEM' })).to.not.throw();
    expect(() => serverTrustContext({ rootCa: '/nonexistent/root-cert.pem' })).to.throw('ENOENT');
    expect(() =>
      serverTrustContext({ rootCa: import.meta.filename.replace('server-trust.test', 'node') }),
    ).to.throw('holds no PEM certificate');
  });
});

describe('serverNameCheck', () => {
  const named = (subjectaltname?: string): PeerCertificate =>
    ({ subject: { CN: 'host' }, subjectaltname }) as unknown as PeerCertificate;

  it('wants the host, or else the alternative host, among the alternative names', () => {
    expect(serverNameCheck(undefined)('host', named('DNS:host'))).to.equal(undefined);
    expect(serverNameCheck(undefined)('host', named('DNS:other'))).to.be.instanceOf(Error);
    expect(serverNameCheck('other')('host', named('DNS:other'))).to.equal(undefined);
    expect(serverNameCheck('third')('host', named('DNS:other'))).to.be.instanceOf(Error);
  });

  it('does not take the common name for a host', () => {
    expect(serverNameCheck(undefined)('host', named())).to.be.instanceOf(Error);
  });
});
