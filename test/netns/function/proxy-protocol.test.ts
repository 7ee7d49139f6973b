import { expect } from 'chai';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connectFrom, listenInside } from '@ambient/testkit/hostile-peer';
import { useMesh } from './use-mesh.ts';

const TUNNEL_PORT = 9090;

describe('an application behind a PROXY protocol tunnel', () => {
  const mesh = useMesh({
    pods: {
      client: {},
      server: {
        workload: {
          applicationTunnel: { protocol: 'PROXY', port: TUNNEL_PORT },
        },
      },
    },
  });

  /** What the application gets of a call in which the client sends `payload` and closes its half, and from where. */
  async function deliver(
    ip: string,
    port: number,
    payload: string,
  ): Promise<{ bytes: Buffer; from: string }> {
    const { client, server } = mesh().pods;
    let application: Server | undefined;
    let caller: Socket | undefined;
    try {
      const accepted = new Promise<Socket>((resolve) => {
        application = listenInside(server!.netns, TUNNEL_PORT, resolve);
      });
      caller = connectFrom(client!.netns, ip, port);
      caller.end(payload);
      const socket = await accepted;
      const from = String(socket.remoteAddress).replace('::ffff:', '');
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(socket, 'end');
      socket.end();
      await once(caller.resume(), 'end');
      return { bytes: Buffer.concat(chunks), from };
    } finally {
      caller?.destroy();
      application?.close();
    }
  }

  const header = (sent: Buffer): Record<string, unknown> => {
    const length = sent.readUInt16BE(14);
    const v6 = sent[13] === 0x21;
    const size = v6 ? 16 : 4;
    const tlvAt = 16 + 2 * size + 4;
    const tlvLength = sent.readUInt16BE(tlvAt + 1);
    return {
      signature: sent.toString('hex', 0, 12),
      command: sent[12],
      family: sent[13],
      source: sent.toString('hex', 16, 16 + size),
      destination: sent.toString('hex', 16 + size, 16 + 2 * size),
      sourcePort: sent.readUInt16BE(16 + 2 * size),
      destinationPort: sent.readUInt16BE(16 + 2 * size + 2),
      tlvType: sent[tlvAt],
      tlv: sent.toString('latin1', tlvAt + 3, tlvAt + 3 + tlvLength),
      wholeLength: length === 2 * size + 4 + 3 + tlvLength,
      payload: sent.toString('latin1', 16 + length),
    };
  };

  /** What every header says, and what the application gets behind it. */
  const always = {
    signature: '0d0a0d0a000d0a515549540a',
    command: 0x21,
    tlvType: 0xd0,
    tlv: 'spiffe://cluster.local/ns/default/sa/client',
    wholeLength: true,
    payload: 'the bytes behind it',
  };

  it('gets a header of version 2 with addresses and the identity of the client, then its bytes, over IPv4', async () => {
    const { client, server } = mesh().pods;
    const { bytes, from } = await deliver(server!.ipv4, 8080, always.payload);
    expect(header(bytes)).to.deep.include({
      ...always,
      family: 0x11,
      source: hexV4(client!.ipv4),
      destination: hexV4(server!.ipv4),
      destinationPort: 8080,
    });
    expect(from).to.equal('127.0.0.1');
  });

  it('gets the same over IPv6', async () => {
    const { client, server } = mesh().pods;
    const { bytes, from } = await deliver(server!.ipv6, 8080, always.payload);
    expect(header(bytes)).to.deep.include({
      ...always,
      family: 0x21,
      source: hexV6(client!.ipv6),
      destination: hexV6(server!.ipv6),
      destinationPort: 8080,
    });
    expect(from).to.equal('::1');
  });
});

function hexV4(ip: string): string {
  return Buffer.from(ip.split('.').map(Number)).toString('hex');
}

/** Of the form `fd77::1`. */
function hexV6(ip: string): string {
  const [head, tail] = ip.split('::') as [string, string];
  return head.padStart(4, '0') + tail.padStart(28, '0');
}
