import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { randomInt } from 'node:crypto';

import { TcpMessages, framed } from './tcp-messages.ts';

/** Where other names are asked for. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** Raised when no upstream has answered. */
export class NoUpstreamAnswerError extends Error {
  override readonly name = 'NoUpstreamAnswerError';
  readonly code = 'LAB_DNS_UPSTREAM';
  constructor(upstreams: readonly Upstream[], cause: unknown) {
    const names = upstreams.map(({ address, port }) => `${address} port ${port}`).join(', ');
    super(`no answer from ${names}; check that the upstream can be reached from the pod of cluster DNS`, {
      cause,
    });
  }
}

/** Asks one upstream after the other, each with an identifier and a socket of its own, which nobody can guess. */
export class Forwarder {
  readonly #upstreams: readonly Upstream[];
  readonly #timeoutMs: number;

  constructor(upstreams: readonly Upstream[], timeoutMs = 2000) {
    this.#upstreams = upstreams;
    this.#timeoutMs = timeoutMs;
  }

  get hasUpstreams(): boolean {
    return this.#upstreams.length > 0;
  }

  /**
   * @param query as the client sent it
   * @returns the answer, with the client's identifier
   * @throws NoUpstreamAnswerError
   */
  async ask(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer> {
    let cause: unknown;
    for (const upstream of this.#upstreams) {
      try {
        const own = Buffer.from(query);
        own.writeUInt16BE(randomInt(0x10000), 0);
        const answer = await (transport === 'udp' ? this.#askByUdp : this.#askByTcp).call(
          this,
          own,
          upstream,
        );
        answer.writeUInt16BE(query.readUInt16BE(0), 0);
        return answer;
      } catch (error) {
        cause = error;
      }
    }
    throw new NoUpstreamAnswerError(this.#upstreams, cause);
  }

  async #askByUdp(query: Buffer, { address, port }: Upstream): Promise<Buffer> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const timer = setTimeout(() => reject(this.#late()), this.#timeoutMs);
    socket.on('error', reject);
    socket.on('message', (message) => {
      if (isAnswerTo(query, message)) resolve(message);
    });
    // Only what the upstream itself sends arrives at a socket that is connected.
    socket.connect(port, address, () => socket.send(query));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      socket.close();
    }
  }

  async #askByTcp(query: Buffer, { address, port }: Upstream): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const socket = connect(port, address, () => socket.write(framed(query)));
    const messages = new TcpMessages((message) => {
      if (isAnswerTo(query, message)) resolve(message);
    });
    socket.setTimeout(this.#timeoutMs, () => reject(this.#late()));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection ended before the answer')));
    socket.on('data', (chunk: Buffer) => messages.push(chunk));
    try {
      return await promise;
    } finally {
      socket.destroy();
    }
  }

  #late(): Error {
    return new Error(`no answer within ${this.#timeoutMs} ms`);
  }
}

function isAnswerTo(query: Buffer, message: Buffer): boolean {
  return (
    message.length >= 12 && (message[2]! & 0x80) !== 0 && message.readUInt16BE(0) === query.readUInt16BE(0)
  );
}
