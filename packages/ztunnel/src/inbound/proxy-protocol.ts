import { isIPv6 } from 'node:net';
import type { SocketAddress } from '@ambient/linux';
import { ipToBytes } from '@ambient/mesh';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const VERSION_2_PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
/** Istio's type of the TLV that carries the client's SPIFFE id, of the range for custom use. */
const TLV_SPIFFE_ID = 0xd0;

/**
 * PROXY protocol header, version 2 (haproxy.org, "The PROXY protocol", section 2.2).
 * @param source the client
 * @param destination what the client asked for
 * @param identity the client's SPIFFE id, proven by mutual TLS
 */
export function writeProxyHeader(
  source: SocketAddress,
  destination: SocketAddress,
  identity: string,
): Buffer {
  const v6 = isIPv6(source.ip) || isIPv6(destination.ip);
  const ends = [source, destination].map(({ ip }) => addressBytes(ip, v6));
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const id = Buffer.from(identity);
  const tlv = Buffer.from([TLV_SPIFFE_ID, id.length >> 8, id.length & 0xff]);
  const body = Buffer.concat([...ends, ports, tlv, id]);
  const head = Buffer.from([
    VERSION_2_PROXY,
    v6 ? TCP_OVER_IPV6 : TCP_OVER_IPV4,
    body.length >> 8,
    body.length & 0xff,
  ]);
  return Buffer.concat([SIGNATURE, head, body]);
}

/** Both ends of a header are of one family: an IPv4 address beside an IPv6 one is written IPv4-mapped. */
function addressBytes(ip: string, v6: boolean): Uint8Array {
  const bytes = ipToBytes(ip) ?? new Uint8Array(v6 ? 16 : 4);
  if (!v6 || bytes.length === 16) return bytes;
  const mapped = new Uint8Array(16);
  mapped.set([0xff, 0xff], 10);
  mapped.set(bytes, 12);
  return mapped;
}
