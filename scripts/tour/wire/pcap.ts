/** One TCP segment that was seen on the wire. */
export interface Segment {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** One direction of one TCP connection, its bytes in order. */
export interface ByteStream {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly bytes: Buffer;
}

/** A link cannot be recorded, or the recording cannot be read. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
  readonly code = 'ERR_RECORDING';
}

const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINK_ETHERNET = 1;
const ETHERNET_HEADER = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const IPV6_HEADER = 40;
const PROTOCOL_TCP = 6;

/** First bytes of a capture file. @param largest bytes that are kept of a packet */
export function pcapFileHeader(largest: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER);
  header.writeUInt32LE(MAGIC_MICROSECONDS, 0);
  header.writeUInt16LE(2, 4); // version 2.4
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(largest, 16);
  header.writeUInt32LE(LINK_ETHERNET, 20);
  return header;
}

/** Goes before each packet. @param timeMs Unix time in milliseconds */
export function pcapPacketHeader(timeMs: number, length: number): Buffer {
  const header = Buffer.alloc(PACKET_HEADER);
  header.writeUInt32LE(Math.floor(timeMs / 1000), 0);
  header.writeUInt32LE((timeMs % 1000) * 1000, 4);
  header.writeUInt32LE(length, 8);
  header.writeUInt32LE(length, 12);
  return header;
}

/**
 * The TCP segments of a capture file in the classic pcap format, little endian, of an Ethernet link, in the order in which
 * they were seen. A packet that is still being written at the end of the file is left out, as are other protocols.
 *
 * @throws RecordingError for another file format or link type
 */
export function readSegments(file: Buffer): Segment[] {
  if (file.length < FILE_HEADER) return [];
  if (file.readUInt32LE(0) !== MAGIC_MICROSECONDS || file.readUInt32LE(20) !== LINK_ETHERNET)
    throw new RecordingError(
      'this is no capture of an Ethernet link in the classic pcap format; record it with tcpdump -w',
    );
  const segments: Segment[] = [];
  for (let at = FILE_HEADER; at + PACKET_HEADER <= file.length;) {
    const length = file.readUInt32LE(at + 8);
    const start = at + PACKET_HEADER;
    at = start + length;
    if (at > file.length) break;
    const segment = readFrame(file.subarray(start, at));
    if (segment !== undefined) segments.push(segment);
  }
  return segments;
}

function readFrame(frame: Buffer): Segment | undefined {
  if (frame.length < ETHERNET_HEADER) return undefined;
  const packet = frame.subarray(ETHERNET_HEADER);
  switch (frame.readUInt16BE(12)) {
    case ETHERTYPE_IPV4: {
      if (packet.length < 20 || packet[9] !== PROTOCOL_TCP) return undefined;
      const header = (packet[0]! & 0x0f) * 4;
      // Ethernet pads short frames: the IP header knows where the packet ends.
      const tcp = packet.subarray(header, packet.readUInt16BE(2) || packet.length);
      return readTcp(tcp, [...packet.subarray(12, 16)].join('.'), [...packet.subarray(16, 20)].join('.'));
    }
    case ETHERTYPE_IPV6: {
      if (packet.length < IPV6_HEADER || packet[6] !== PROTOCOL_TCP) return undefined;
      const end = packet.readUInt16BE(4) === 0 ? packet.length : IPV6_HEADER + packet.readUInt16BE(4);
      return readTcp(packet.subarray(IPV6_HEADER, end), ipv6(packet, 8), ipv6(packet, 24));
    }
    default:
      return undefined;
  }
}

function readTcp(tcp: Buffer, source: string, destination: string): Segment | undefined {
  if (tcp.length < 20) return undefined;
  return {
    source,
    sourcePort: tcp.readUInt16BE(0),
    destination,
    destinationPort: tcp.readUInt16BE(2),
    sequence: tcp.readUInt32BE(4),
    payload: tcp.subarray((tcp[12]! >> 4) * 4),
  };
}

/** Uncompressed: good to compare, not to show. */
function ipv6(packet: Buffer, at: number): string {
  return Array.from({ length: 8 }, (_, group) => packet.readUInt16BE(at + 2 * group).toString(16)).join(':');
}

/** Joins what each direction of each connection carried; bytes that were sent again count once. */
export function joinStreams(segments: readonly Segment[]): ByteStream[] {
  const open = new Map<string, { readonly first: Segment; readonly chunks: Buffer[]; next: number }>();
  for (const segment of segments) {
    const { source, sourcePort, destination, destinationPort, sequence, payload } = segment;
    if (payload.length === 0) continue;
    const key = `${source} ${sourcePort} ${destination} ${destinationPort}`;
    const stream = open.get(key) ?? { first: segment, chunks: [], next: sequence };
    open.set(key, stream);
    const known = (stream.next - sequence) | 0; // modulo 2^32, RFC 9293 section 3.4
    if (known >= payload.length) continue;
    stream.chunks.push(payload.subarray(Math.max(0, known)));
    stream.next = (sequence + payload.length) >>> 0;
  }
  return Array.from(open.values(), ({ first, chunks }) => ({
    source: first.source,
    sourcePort: first.sourcePort,
    destination: first.destination,
    destinationPort: first.destinationPort,
    bytes: Buffer.concat(chunks),
  }));
}
