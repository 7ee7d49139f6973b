import { expect } from 'chai';
import { openSync, closeSync, mkdtempSync, rmSync, fstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WOULD_BLOCK, openDescriptors } from './descriptor.ts';
import { MisuseError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import { UnixListener, UnixSocket } from './unix.ts';

describe('UnixSocket', () => {
  let before: number;
  let directory: string;
  beforeEach(() => {
    before = openDescriptors().length;
    directory = mkdtempSync(join(tmpdir(), 'unix-socket-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
    expect(openDescriptors().length, 'descriptors leaked').to.equal(before);
  });

  it('keeps message boundaries and passes a descriptor (seqpacket)', () => {
    const path = join(directory, 's');
    using listener = new UnixListener(path, 'seqpacket', 8);
    using client = UnixSocket.connect(path, 'seqpacket');
    using server = listener.accept()!;
    const buffer = new IoBuffer(32);
    expect(server.recv(buffer, 0, 32)).to.equal(WOULD_BLOCK);
    const file = openSync('/dev/null', 'r');
    buffer.bytes.write('onetwo');
    expect(client.send(buffer, 0, 3, file)).to.equal(3);
    expect(client.send(buffer, 3, 3)).to.equal(3);
    closeSync(file);
    expect(server.recv(buffer, 0, 32)).to.equal(3);
    using received = server.takeReceived()!;
    expect(fstatSync(received.fd).isCharacterDevice()).to.equal(true);
    expect(server.recv(buffer, 0, 32)).to.equal(3);
    expect(server.takeReceived()).to.equal(undefined);
    client.close();
    expect(server.recv(buffer, 0, 32)).to.equal(0);
  });

  it('tells that a message was cut', () => {
    const [a, b] = UnixSocket.pair('seqpacket');
    const buffer = new IoBuffer(16);
    a.send(buffer, 0, 16);
    expect(b.recv(buffer, 0, 4)).to.equal(4);
    expect(b.truncated).to.equal(true);
    a.close();
    b.close();
  });

  it('closes a descriptor that nobody took', () => {
    const [a, b] = UnixSocket.pair('stream');
    const buffer = new IoBuffer(4);
    const open = openDescriptors().length;
    a.send(buffer, 0, 1, a.fd);
    b.recv(buffer, 0, 4);
    expect(openDescriptors().length).to.equal(open + 1);
    a.close();
    b.close();
    expect(openDescriptors().length).to.equal(open - 2);
  });

  it('names a path that is too long and a listener that is missing', () => {
    expect(() => UnixSocket.connect('/'.padEnd(200, 'x'), 'stream')).to.throw(MisuseError, '107');
    expect(() => UnixSocket.connect(join(directory, 'none'), 'stream')).to.throw('ENOENT');
  });
});
