/**
 * Records the frames of the network interface `--interface` into the capture file `--file`, as tcpdump would. Prints
 * `recording`, and ends itself when a frame holds the text `--until`, with that frame in the file.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { IoBuffer, PacketSocket, Reactor, WOULD_BLOCK } from '@ambient/linux';
import { pcapFileHeader, pcapPacketHeader } from '../wire/pcap.ts';

/** Segmentation offload makes frames of up to 64 KiB and a header; `BIG TCP` more than anybody here uses. */
const LARGEST_FRAME = 256 * 1024;

const text = { type: 'string', default: '' } as const;
const { values } = parseArgs({ options: { interface: text, file: text, until: text } });
const socket = new PacketSocket(values.interface);
const file = openSync(values.file, 'w');
const buffer = new IoBuffer(LARGEST_FRAME);
const reactor = new Reactor((error) => {
  throw error;
});

/** Takes frames until none waits or the last one has come. */
function record(): void {
  for (;;) {
    const length = socket.recv(buffer, 0, LARGEST_FRAME);
    if (length === WOULD_BLOCK) return;
    if (length < 0) throw socket.lastError!;
    const frame = buffer.bytes.subarray(0, length);
    writeSync(file, pcapPacketHeader(Date.now(), length));
    writeSync(file, frame);
    if (frame.includes(values.until)) {
      reactor.stop();
      return;
    }
  }
}

writeSync(file, pcapFileHeader(LARGEST_FRAME));
reactor.registerReadable(socket.fd, {
  onReadiness: record,
  onFault: (error: unknown) => {
    throw error;
  },
});
process.stdout.write('recording\n');
reactor.run();
closeSync(file);
socket.close();
reactor.close();
