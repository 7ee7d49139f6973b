import { expect } from 'chai';
import type { DiagnosedSocket, SocketAddress } from '@ambient/linux';
import { formatAddress } from '@ambient/linux';
import { standardProbeAddress } from '../../rules/pod-capture.ts';
import { plaintextConnections } from './plaintext.ts';

const capture = {
  ipv6: true,
  inbound: true,
  dns: true,
  virtualInterfaces: [],
  probeAddress: standardProbeAddress,
};
const own = ['10.0.0.2', 'fd00::2'];

function at(text: string): SocketAddress {
  const colon = text.lastIndexOf(':');
  return { ip: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

function socket(local: string, remote: string, mark = 0): DiagnosedSocket {
  return { local: at(local), remote: at(remote), listening: false, mark, id: Buffer.alloc(48), family: 6 };
}

const listener = (port: number): DiagnosedSocket => ({
  ...socket(`[::]:${port}`, '[::]:0'),
  listening: true,
});

describe('connections past ztunnel', () => {
  const list = (sockets: readonly DiagnosedSocket[], change: object = {}): string[] =>
    plaintextConnections(sockets, { ...capture, ...change }, own).map(
      ({ direction, remote }) => `${direction} ${formatAddress(remote)}`,
    );

  it('are those of the pod that no socket of ztunnel belongs to', () => {
    expect(
      list([
        listener(8080),
        socket('10.0.0.2:40000', '10.1.0.1:5432'),
        socket('[fd00::2]:40000', '[fd01::1]:5432'),
        socket('10.0.0.2:8080', '10.1.0.9:33000'),
      ]),
    ).to.deep.equal(['outbound 10.1.0.1:5432', 'outbound [fd01::1]:5432', 'inbound 10.1.0.9:33000']);
  });

  it('are not those that ztunnel carries, in either direction, nor its own', () => {
    expect(
      list([
        listener(8080),
        // The application calls; ztunnel has taken it, and calls on.
        socket('10.0.0.2:40000', '10.1.0.1:5432'),
        socket('127.0.0.1:15001', '10.0.0.2:40000', 0x539),
        socket('10.0.0.2:50000', '10.1.0.1:15008', 0x539),
        // ztunnel calls the application as the client.
        socket('10.0.0.2:8080', '10.1.0.9:33000'),
        socket('10.1.0.9:33000', '10.0.0.2:8080', 0x539),
        // DNS by TCP.
        socket('10.0.0.2:40001', '10.96.0.10:53'),
        socket('127.0.0.1:15053', '10.0.0.2:40001', 0x539),
      ]),
    ).to.deep.equal([]);
  });

  it('are not those that are never captured: to itself, probes, what the pod is set to', () => {
    const sockets = [
      listener(8080),
      socket('127.0.0.1:40000', '127.0.0.1:8080'),
      socket('10.0.0.2:40000', '10.0.0.2:8080'),
      socket('[fd00::2]:40000', '10.0.0.2:9090'),
      socket('10.0.0.2:8080', '169.254.7.127:33000'),
    ];
    expect(list(sockets)).to.deep.equal([]);
    const inbound = [listener(8080), socket('10.0.0.2:8080', '10.1.0.9:33000')];
    expect(list(inbound, { inbound: false })).to.deep.equal([]);
    expect(list([socket('[fd00::2]:40000', '[fd01::1]:80')], { ipv6: false })).to.deep.equal([]);
  });
});
