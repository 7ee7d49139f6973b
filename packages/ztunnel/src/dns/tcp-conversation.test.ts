import type { IoBuffer, Reactor, TcpSocket } from '@ambient/linux';
import { READABLE, WOULD_BLOCK, WRITABLE } from '@ambient/linux';
import { expect } from 'chai';
import { PausedTimers } from '../testing/paused-timers.ts';
import type { DnsClientLink, Responder } from './responder.ts';
import { ANSWER_AT, answerMemory } from './responder.ts';
import { TcpConversation } from './tcp-conversation.ts';

/** A conversation whose socket, clock and responder are the test's. Messages are numbers; an answer repeats its number. */
class Talk {
  readonly timers = new PausedTimers();
  /** What the client has sent and nobody has read. */
  #input = Buffer.alloc(0);
  #ended = false;
  /** Bytes that the socket still takes. */
  room = Infinity;
  sent = Buffer.alloc(0);
  closed = 0;
  readonly taken: number[] = [];
  readonly #links: DnsClientLink[] = [];
  readonly #nextTurn: { run(): void }[] = [];
  readonly conversation: TcpConversation;

  constructor() {
    const socket = {
      fd: 0,
      setNoDelay: () => undefined,
      recv: (into: IoBuffer, offset: number, length: number): number => {
        if (this.#input.length === 0) return this.#ended ? 0 : WOULD_BLOCK;
        const n = this.#input.copy(into.bytes, offset, 0, length);
        this.#input = this.#input.subarray(n);
        return n;
      },
      send: (from: IoBuffer, offset: number, length: number): number => {
        const n = Math.min(length, this.room);
        if (n === 0) return WOULD_BLOCK;
        this.room -= n;
        this.sent = Buffer.concat([this.sent, from.bytes.subarray(offset, offset + n)]);
        return n;
      },
      close: () => void this.closed++,
    } as unknown as TcpSocket;
    const responder = {
      take: (message: Buffer, link: DnsClientLink): void => {
        this.taken.push(message.readUInt32BE(0));
        this.#links.push(link);
      },
    } as unknown as Responder;
    const reactor = Object.assign(Object.create(this.timers.reactor) as Reactor, {
      register: () => undefined,
      unregister: () => undefined,
      inNextTurn: (task: { run(): void }) => void this.#nextTurn.push(task),
    });
    this.conversation = new TcpConversation(
      reactor,
      socket,
      responder,
      () => undefined,
      (error) => {
        throw error as Error;
      },
    );
  }

  /** The client asks. */
  ask(...numbers: number[]): void {
    const message = Buffer.alloc(6);
    message.writeUInt16BE(4, 0);
    for (const number of numbers) {
      message.writeUInt32BE(number, 2);
      this.#input = Buffer.concat([this.#input, message]);
    }
    this.conversation.onReadiness(READABLE);
  }

  sendRaw(bytes: Buffer): void {
    this.#input = Buffer.concat([this.#input, bytes]);
    this.conversation.onReadiness(READABLE);
  }

  end(): void {
    this.#ended = true;
    this.conversation.onReadiness(READABLE);
  }

  /** Answers the earliest question that waits, with so many bytes. */
  answer(bytes = 4): void {
    answerMemory.bytes.writeUInt32BE(this.taken[this.taken.length - this.#links.length]!, ANSWER_AT);
    this.#links.shift()!.reply(bytes);
  }

  nextTurn(): void {
    for (const task of this.#nextTurn.splice(0)) task.run();
  }
}

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

describe('TcpConversation', () => {
  it('lets 64 questions wait, and takes more as they are answered', () => {
    const talk = new Talk();
    talk.ask(...numbers(70));
    talk.nextTurn();
    expect(talk.taken).deep.equal(numbers(64));
    talk.answer();
    expect(talk.taken).deep.equal(numbers(65));
    for (let i = 0; i < 69; i++) talk.answer();
    expect(talk.taken).deep.equal(numbers(70));
    expect(talk.sent).length(70 * 6);
  });

  it('sends what the socket does not take at once when it does, and nothing twice', () => {
    const talk = new Talk();
    talk.ask(1, 2, 3);
    talk.room = 7;
    for (let i = 0; i < 3; i++) talk.answer();
    expect(talk.sent).length(7);
    talk.room = 4;
    talk.conversation.onReadiness(WRITABLE);
    talk.room = Infinity;
    talk.conversation.onReadiness(WRITABLE);
    expect(talk.sent.toString('hex')).equal('000400000001000400000002000400000003');
  });

  it('takes no question of a client that leaves 128 KiB of answers unread', () => {
    const talk = new Talk();
    talk.room = 0;
    talk.ask(1, 2, 3);
    for (let i = 0; i < 3; i++) talk.answer(60_000);
    talk.ask(4);
    expect(talk.taken).deep.equal([1, 2, 3]);
    talk.room = Infinity;
    talk.conversation.onReadiness(WRITABLE);
    expect(talk.taken).deep.equal([1, 2, 3, 4]);
  });

  it('ends ten seconds after the last question was answered', () => {
    const talk = new Talk();
    talk.timers.advance(9_000);
    talk.ask(1);
    talk.timers.advance(12_000);
    expect(talk.closed).equal(0);
    talk.answer();
    talk.timers.advance(9_900);
    expect(talk.closed).equal(0);
    talk.timers.advance(200);
    expect(talk.closed).equal(1);
    expect(talk.timers.count).equal(0);
  });

  it('hostile: a question that never becomes whole ends it after ten seconds, whatever drips in', () => {
    const talk = new Talk();
    talk.sendRaw(Buffer.from([0xff, 0xff]));
    for (let i = 0; i < 11; i++) {
      talk.timers.advance(1000);
      if (talk.closed === 0) talk.sendRaw(Buffer.from([0]));
    }
    expect(talk.closed).equal(1);
    expect(talk.taken).deep.equal([]);
  });

  it('hostile: answers that are never read end it after ten seconds', () => {
    const talk = new Talk();
    talk.room = 0;
    talk.ask(1);
    talk.answer();
    talk.timers.advance(10_008);
    expect(talk.closed).equal(1);
  });

  it('takes the longest message there is', () => {
    const talk = new Talk();
    const message = Buffer.alloc(2 + 65_535);
    message.writeUInt16BE(65_535, 0);
    message.writeUInt32BE(9, 2);
    for (let at = 0; at < message.length; at += 5000) talk.sendRaw(message.subarray(at, at + 5000));
    expect(talk.taken).deep.equal([9]);
  });

  it('ends with the client when all is answered, and at once when nothing waits', () => {
    const talk = new Talk();
    talk.ask(1);
    talk.end();
    expect(talk.closed).equal(0);
    talk.answer();
    expect(talk.closed).equal(1);
    const silent = new Talk();
    silent.end();
    expect(silent.closed).equal(1);
  });

  it('drains: takes what has come, answers it, and ends', () => {
    const talk = new Talk();
    talk.ask(1);
    talk.conversation.drain();
    talk.ask(2);
    expect(talk.taken).deep.equal([1]);
    talk.answer();
    expect(talk.closed).equal(1);
    talk.conversation.close();
    expect(talk.closed).equal(1);
  });
});
