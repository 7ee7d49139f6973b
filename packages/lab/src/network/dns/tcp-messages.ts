// DNS over TCP: each message after its length (RFC 1035 section 4.2.2). Pure.

/** Cuts a stream into messages; holds at most one that is not complete. */
export class TcpMessages {
  readonly #onMessage: (message: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (rest.length >= 2) {
      const end = 2 + rest.readUInt16BE(0);
      if (rest.length < end) break;
      this.#onMessage(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}

export function framed(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(2 + message.length);
  bytes.writeUInt16BE(message.length, 0);
  message.copy(bytes, 2);
  return bytes;
}
