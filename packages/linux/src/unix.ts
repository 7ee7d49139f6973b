import type { Descriptor } from './descriptor.ts';
import { Descriptor as OwnedDescriptor, FAILED, WOULD_BLOCK, checked, owned } from './descriptor.ts';
import { MisuseError, SystemError } from './errors.ts';
import { IoBuffer } from './io-buffer.ts';
import * as libc from './libc.ts';

/** STREAM keeps no message boundaries; SEQPACKET does, and is what the node agent's protocol (ZDS) speaks. */
export type UnixSocketType = 'stream' | 'seqpacket';

const PATH_MAX_BYTES = 107; // sun_path is 108 with its NUL: unix(7)
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
// struct msghdr, iovec and one cmsghdr with an int, as laid out on LP64 Linux.
const IOVEC_AT = 56;
const CONTROL_AT = 72;
const CONTROL_BYTES = 24;
const CMSG_LENGTH = 20;

const message = new IoBuffer(CONTROL_AT + CONTROL_BYTES + 8);
const messagePointer = message.addressOf(0, CONTROL_AT);
const sockaddrUn = new IoBuffer(PATH_MAX_BYTES + 3);

function writePath(path: string): number {
  const length = Buffer.byteLength(path);
  if (length > PATH_MAX_BYTES)
    throw new MisuseError(`socket path of ${length} bytes; at most ${PATH_MAX_BYTES} fit: ${path}`);
  sockaddrUn.bytes.fill(0);
  sockaddrUn.bytes.writeUInt16LE(libc.AF_UNIX, 0);
  sockaddrUn.bytes.write(path, 2);
  return length + 3;
}

function makeSocket(type: UnixSocketType): Descriptor {
  const kind = type === 'stream' ? libc.SOCK_STREAM : libc.SOCK_SEQPACKET;
  return owned('socket', libc.socket(libc.AF_UNIX, kind | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0));
}

function writeU64(at: number, value: number): void {
  message.bytes.writeUInt32LE(value % 0x1_0000_0000, at);
  message.bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

/** A Unix domain connection, non-blocking, that can carry a descriptor beside its bytes. */
export class UnixSocket {
  readonly #descriptor: Descriptor;
  lastError: SystemError | undefined;
  /** Descriptor that came with the last `recv`; the receiver owns it and takes it with `takeReceived`. */
  #received: Descriptor | undefined;
  /** The last message was longer than the room given and lost its end. */
  truncated = false;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  /** @throws SystemError ENOENT, ECONNREFUSED: nobody listens at `path` */
  static connect(path: string, type: UnixSocketType): UnixSocket {
    const descriptor = makeSocket(type);
    try {
      const length = writePath(path);
      checked('connect', libc.connect(descriptor.fd, sockaddrUn.addressOf(0, length), length), path);
      return new UnixSocket(descriptor);
    } catch (error) {
      descriptor.close();
      throw error;
    }
  }

  /** Two ends of one connection. */
  static pair(type: UnixSocketType): [UnixSocket, UnixSocket] {
    const kind = type === 'stream' ? libc.SOCK_STREAM : libc.SOCK_SEQPACKET;
    const flags = kind | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
    checked('socketpair', libc.socketpair(libc.AF_UNIX, flags, 0, message.addressOf(0, 8)));
    const first = message.bytes.readInt32LE(0);
    const second = message.bytes.readInt32LE(4);
    return [new UnixSocket(new OwnedDescriptor(first)), new UnixSocket(new OwnedDescriptor(second))];
  }

  get fd(): number {
    return this.#descriptor.fd;
  }

  #prepare(buffer: IoBuffer, offset: number, length: number, controlBytes: number): void {
    message.bytes.fill(0);
    writeU64(16, message.addressOf(IOVEC_AT, 16));
    writeU64(24, 1);
    if (controlBytes > 0) {
      writeU64(32, message.addressOf(CONTROL_AT, CONTROL_BYTES));
      writeU64(40, controlBytes);
    }
    writeU64(IOVEC_AT, buffer.addressOf(offset, length));
    writeU64(IOVEC_AT + 8, length);
  }

  /**
   * Sends bytes (one message on a seqpacket socket) and, when given, a duplicate of the descriptor `passed`.
   * @returns bytes taken, WOULD_BLOCK or FAILED
   */
  send(from: IoBuffer, offset: number, length: number, passed?: number): number {
    this.#prepare(from, offset, length, passed === undefined ? 0 : CONTROL_BYTES);
    if (passed !== undefined) {
      writeU64(CONTROL_AT, CMSG_LENGTH);
      message.bytes.writeInt32LE(SOL_SOCKET, CONTROL_AT + 8);
      message.bytes.writeInt32LE(SCM_RIGHTS, CONTROL_AT + 12);
      message.bytes.writeInt32LE(passed, CONTROL_AT + 16);
    }
    const n = libc.sendmsg(this.fd, messagePointer, libc.MSG_DONTWAIT | libc.MSG_NOSIGNAL);
    return n < 0 ? this.#failed('sendmsg') : n;
  }

  /** @returns bytes of the message, 0 when the peer has closed, WOULD_BLOCK or FAILED; sets `truncated` */
  recv(into: IoBuffer, offset: number, length: number): number {
    this.#received?.close();
    this.#received = undefined;
    // Room for one descriptor exactly: in the padding a second one would come along, which nobody would close.
    this.#prepare(into, offset, length, CMSG_LENGTH);
    const n = libc.recvmsg(this.fd, messagePointer, libc.MSG_DONTWAIT | libc.MSG_CMSG_CLOEXEC);
    if (n < 0) return this.#failed('recvmsg');
    this.truncated = (message.bytes.readInt32LE(48) & 0x28) !== 0; // MSG_TRUNC | MSG_CTRUNC
    const controlBytes = message.bytes.readUInt32LE(40);
    if (controlBytes >= CMSG_LENGTH && message.bytes.readInt32LE(CONTROL_AT + 12) === SCM_RIGHTS)
      this.#received = new OwnedDescriptor(message.bytes.readInt32LE(CONTROL_AT + 16));
    return n;
  }

  /** The descriptor that came with the last message, owned by the caller from now on. */
  takeReceived(): Descriptor | undefined {
    const descriptor = this.#received;
    this.#received = undefined;
    return descriptor;
  }

  #failed(syscall: string): number {
    const errno = libc.errno();
    if (errno === libc.EAGAIN || errno === libc.EINTR) return WOULD_BLOCK;
    this.lastError = new SystemError(syscall, errno);
    return FAILED;
  }

  close(): void {
    this.#received?.close();
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A listening Unix domain socket. The caller removes a stale file at `path` first and the file at the end. */
export class UnixListener {
  readonly #descriptor: Descriptor;

  /** @throws SystemError EADDRINUSE when the file exists */
  constructor(path: string, type: UnixSocketType, backlog: number) {
    this.#descriptor = makeSocket(type);
    try {
      const length = writePath(path);
      checked('bind', libc.bind(this.#descriptor.fd, sockaddrUn.addressOf(0, length), length), path);
      checked('listen', libc.listen(this.#descriptor.fd, backlog), path);
    } catch (error) {
      this.#descriptor.close();
      throw error;
    }
  }

  get fd(): number {
    return this.#descriptor.fd;
  }

  /** @returns the next connection, or undefined when none waits */
  accept(): UnixSocket | undefined {
    const fd = libc.accept4(this.fd, 0, 0, libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC);
    if (fd >= 0) return new UnixSocket(new OwnedDescriptor(fd));
    const errno = libc.errno();
    if (errno === libc.EAGAIN || errno === libc.ECONNABORTED || errno === libc.EINTR) return undefined;
    throw new SystemError('accept', errno);
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
