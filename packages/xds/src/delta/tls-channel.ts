import type * as Grpc from '@grpc/grpc-js';
import { isIP } from 'node:net';
import { connect } from 'node:tls';

import { serverNameCheck, serverTrustContext } from './server-trust.ts';
import type { ServerTrust } from './server-trust.ts';

type SecureConnector = ReturnType<Grpc.ChannelCredentials['_createSecureConnector']>;
type ConnectResult = Awaited<ReturnType<SecureConnector['connect']>>;

/**
 * Channel credentials that trust the server as {@link ServerTrust} says. The library's own always send the host as server
 * name, and an IP address is none (RFC 6066 section 3): Node refuses it, and a control plane is often given by address.
 *
 * @param grpc the library, which its users load late
 * @param host name or address as dialled, IPv6 without brackets
 * @throws if the roots cannot be read
 */
export function tlsCredentials(grpc: typeof Grpc, host: string, trust: ServerTrust): Grpc.ChannelCredentials {
  const secureContext = serverTrustContext(trust);
  const servername = isIP(host) === 0 ? host : '';
  class TlsCredentials extends grpc.ChannelCredentials {
    override _isSecure(): boolean {
      return true;
    }

    override _equals(other: Grpc.ChannelCredentials): boolean {
      return other === this;
    }

    override _createSecureConnector(
      _target: unknown,
      _options: unknown,
      callCredentials?: Grpc.CallCredentials,
    ): SecureConnector {
      const calls = callCredentials ?? grpc.CallCredentials.createEmpty();
      return {
        connect: async (socket) =>
          new Promise<ConnectResult>((resolve, reject) => {
            const secured = connect(
              {
                socket,
                secureContext,
                host,
                servername,
                checkServerIdentity: serverNameCheck(trust.altHostname),
                ALPNProtocols: ['h2'],
              },
              () => resolve({ socket: secured, secure: true }),
            );
            secured.on('error', reject);
          }),
        waitForReady: async () => Promise.resolve(),
        getCallCredentials: () => calls,
        destroy: () => {},
      };
    }
  }
  return new TlsCredentials();
}
