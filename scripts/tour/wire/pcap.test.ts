import { expect } from 'chai';
import { joinStreams, pcapFileHeader, pcapPacketHeader, readSegments, RecordingError } from './pcap.ts';

interface Tcp {
  readonly from?: number;
  readonly to?: number;
  readonly sequence?: number;
  readonly text?: string;
}

function tcp({ from = 40_000, to = 80, sequence = 1, text = '' }: Tcp): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(from, 0);
  header.writeUInt16BE(to, 2);
  header.writeUInt32BE(sequence, 4);
  header[12] = 5 << 4;
  return Buffer.concat([header, Buffer.from(text)]);
}

function ethernet(type: number, packet: Buffer): Buffer {
  const header = Buffer.alloc(14);
  header.writeUInt16BE(type, 12);
  return Buffer.concat([header, packet]);
}

function ipv4(segment: Buffer, padding = 0): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + segment.length, 2);
  header[9] = 6;
  header.set([10, 0, 0, 1], 12);
  header.set([10, 0, 0, 2], 16);
  return ethernet(0x0800, Buffer.concat([header, segment, Buffer.alloc(padding)]));
}

function ipv6(segment: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt16BE(segment.length, 4);
  header[6] = 6;
  header[23] = 1;
  header[39] = 2;
  return ethernet(0x86dd, Buffer.concat([header, segment]));
}

function file(...frames: Buffer[]): Buffer {
  const packets = frames.flatMap((frame) => [pcapPacketHeader(1500, frame.length), frame]);
  return Buffer.concat([pcapFileHeader(65_535), ...packets]);
}

describe('a recording', () => {
  it('gives the TCP segments of both IP versions, without the padding of short frames', () => {
    const capture = file(
      ipv4(tcp({ text: 'four' }), 6),
      ethernet(0x0806, Buffer.alloc(28)),
      ipv6(tcp({ to: 15_008, text: 'six' })),
    );
    const [four, six, ...rest] = readSegments(capture);
    expect(rest).to.deep.equal([]);
    expect(four).to.include({ source: '10.0.0.1', destination: '10.0.0.2', destinationPort: 80 });
    expect(four!.payload.toString()).to.equal('four');
    expect(six).to.include({ source: '0:0:0:0:0:0:0:1', destinationPort: 15_008 });
    expect(six!.payload.toString()).to.equal('six');
  });

  it('leaves out a packet that is still being written', () => {
    const capture = file(ipv4(tcp({ text: 'whole' })), ipv4(tcp({ text: 'torn' })));
    expect(readSegments(capture.subarray(0, capture.length - 1))).to.have.lengthOf(1);
  });

  it('is refused in another format', () => {
    expect(() => readSegments(Buffer.alloc(64, 0x0a))).to.throw(RecordingError);
  });

  it('joins what was said in each direction, once, across the wrap of the sequence numbers', () => {
    const capture = file(
      ipv4(tcp({ sequence: 0xffff_fffe, text: 'abc' })),
      ipv4(tcp({ from: 80, to: 40_000, sequence: 7, text: 'answer' })),
      ipv4(tcp({ sequence: 0xffff_fffe, text: 'abc' })),
      ipv4(tcp({ sequence: 0, text: 'cdef' })),
    );
    const streams = joinStreams(readSegments(capture));
    expect(streams.map(({ destinationPort, bytes }) => [destinationPort, bytes.toString()])).to.deep.equal([
      [80, 'abcdef'],
      [40_000, 'answer'],
    ]);
  });
});
