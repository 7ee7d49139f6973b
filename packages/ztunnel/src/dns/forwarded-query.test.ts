import type { SocketAddress } from '@ambient/linux';
import { expect } from 'chai';
import { PausedTimers } from '../testing/paused-timers.ts';
import type { AskServer, AttemptHandler } from './forwarded-query.ts';
import { ForwardedQuery, UpstreamError } from './forwarded-query.ts';
import { queryMessage } from './testing/messages.ts';
import { UpstreamHealth } from './upstream-health.ts';

const one: SocketAddress = { ip: '10.0.0.1', port: 53 };
const two: SocketAddress = { ip: '10.0.0.2', port: 53 };

interface Asked extends AttemptHandler {
  readonly label: string;
  closed: boolean;
}

/** Servers that say what the test has them say. */
class Upstream {
  readonly timers = new PausedTimers();
  readonly asked: Asked[] = [];
  readonly outcomes: (Buffer | UpstreamError)[] = [];
  readonly health: UpstreamHealth;
  /** Servers that fail before `ask` returns. */
  readonly unreachable = new Set<SocketAddress>();

  constructor(servers: SocketAddress[]) {
    this.health = new UpstreamHealth(servers);
  }

  readonly #ask: AskServer = (server, protocol, _message, _questionEnd, handler) => {
    const asked = { ...handler, label: `${server.ip} ${protocol}`, closed: false };
    this.asked.push(asked);
    if (this.unreachable.has(server)) handler.onFailure(new Error('unreachable'));
    return { close: () => void (asked.closed = true) };
  };

  send(protocol: 'udp' | 'tcp' = 'udp'): ForwardedQuery {
    const message = queryMessage('a.example');
    const query = new ForwardedQuery(
      this.timers.reactor,
      this.#ask,
      this.health,
      { message, questionEnd: message.length, protocol },
      (outcome) => this.outcomes.push(outcome),
    );
    query.start();
    return query;
  }

  get labels(): string[] {
    return this.asked.map(({ label }) => label);
  }

  /** What has come out, as rcode or as error. */
  get told(): string[] {
    return this.outcomes.map((outcome) =>
      outcome instanceof UpstreamError
        ? outcome.code
        : `rcode ${outcome[3]! & 15}${outcome[2]! & 2 ? ' TC' : ''}`,
    );
  }
}

const answer = (rcode = 0, { truncated = false } = {}): Buffer => {
  const message = queryMessage('a.example');
  message.writeUInt16BE(0x8180 | rcode | (truncated ? 0x0200 : 0), 2);
  return message;
};

describe('ForwardedQuery', () => {
  it('hands on the first answer, and stops all else', () => {
    const upstream = new Upstream([one, two]);
    upstream.send();
    upstream.asked[0]!.onAnswer(answer());
    expect(upstream.told).deep.equal(['rcode 0']);
    expect(upstream.timers.count).equal(0);
    upstream.timers.advance(10_000);
    expect(upstream.labels).deep.equal(['10.0.0.1 udp']);
  });

  for (const rcode of [1, 3, 9])
    it(`hands on the code ${rcode}`, () => {
      const upstream = new Upstream([one, two]);
      upstream.send();
      upstream.asked[0]!.onAnswer(answer(rcode));
      expect(upstream.told).deep.equal([`rcode ${rcode}`]);
    });

  it('asks the next server after a second, and takes the answer of the first all the same', () => {
    const upstream = new Upstream([one, two]);
    upstream.send();
    upstream.timers.advance(999);
    expect(upstream.labels).length(1);
    upstream.timers.advance(10);
    expect(upstream.labels).deep.equal(['10.0.0.1 udp', '10.0.0.2 udp']);
    upstream.asked[0]!.onAnswer(answer());
    expect(upstream.told).deep.equal(['rcode 0']);
    expect(upstream.asked[1]!.closed).equal(true);
  });

  it('asks a single server four times, then says so', () => {
    const upstream = new Upstream([one]);
    upstream.send();
    for (let i = 0; i < 6; i++) upstream.timers.advance(1008);
    expect(upstream.labels).deep.equal(Array(4).fill('10.0.0.1 udp'));
    expect(upstream.told).deep.equal(['DNS_UPSTREAM_UNREACHABLE']);
    expect(upstream.asked.every(({ closed }) => closed)).equal(true);
    expect((upstream.outcomes[0] as Error).message).match(/no answer from 10\.0\.0\.1 within 4500 ms; check/);
  });

  it('asks the next server at once when one is unreachable, and fails when all are', () => {
    const upstream = new Upstream([one, two]);
    upstream.unreachable.add(one);
    upstream.send();
    expect(upstream.labels).deep.equal(['10.0.0.1 udp', '10.0.0.2 udp']);
    upstream.asked[1]!.onFailure(new Error('refused'));
    expect(upstream.told).deep.equal(['DNS_UPSTREAM_UNREACHABLE']);
    upstream.unreachable.add(two);
    upstream.send();
    expect(upstream.told).length(2);
    expect(upstream.timers.count).equal(0);
  });

  for (const rcode of [2, 4, 5])
    it(`asks the next server when one says ${rcode}; if none knows better, hands that on`, () => {
      const upstream = new Upstream([one, two]);
      upstream.send();
      upstream.asked[0]!.onAnswer(answer(rcode));
      expect(upstream.labels).length(2);
      upstream.asked[1]!.onFailure(new Error('refused'));
      expect(upstream.told).deep.equal([`rcode ${rcode}`]);
    });

  it('asks again by TCP what is cut off, and hands on what is cut off where TCP is closed', () => {
    const upstream = new Upstream([one]);
    upstream.send();
    upstream.asked[0]!.onAnswer(answer(0, { truncated: true }));
    expect(upstream.labels).deep.equal(['10.0.0.1 udp', '10.0.0.1 tcp']);
    upstream.asked[1]!.onAnswer(answer());
    upstream.send();
    upstream.asked[2]!.onAnswer(answer(0, { truncated: true }));
    upstream.asked[3]!.onFailure(new Error('refused'));
    expect(upstream.told).deep.equal(['rcode 0', 'rcode 0 TC']);
    expect(upstream.health.allDown(0)).equal(false);
  });

  it('asks by TCP what came by TCP', () => {
    const upstream = new Upstream([one]);
    upstream.send('tcp');
    expect(upstream.labels).deep.equal(['10.0.0.1 tcp']);
  });

  it('that is closed says nothing any more', () => {
    const upstream = new Upstream([one]);
    const query = upstream.send();
    query.close();
    expect(upstream.asked[0]!.closed).equal(true);
    upstream.timers.advance(10_000);
    expect(upstream.outcomes).deep.equal([]);
  });

  it('asks a server that has left three questions without an answer after the others', () => {
    const upstream = new Upstream([one, two]);
    for (let i = 0; i < 3; i++) {
      upstream.send();
      upstream.timers.advance(1008);
      upstream.asked.at(-1)!.onAnswer(answer());
    }
    upstream.send();
    expect(upstream.labels.at(-1)).equal('10.0.0.2 udp');
    expect(upstream.health.allDown(upstream.timers.reactor.nowMs)).equal(false);
  });
});

describe('UpstreamHealth', () => {
  it('counts failures in a row, and forgives after ten seconds or an answer', () => {
    const health = new UpstreamHealth([one]);
    health.failed(one, 0);
    health.failed(one, 0);
    health.answered(one);
    health.failed(one, 0);
    expect(health.allDown(0)).equal(false);
    health.failed(one, 0);
    health.failed(one, 0);
    expect(health.allDown(9_999)).equal(true);
    expect(health.allDown(10_000)).equal(false);
    expect(health.order(0)).deep.equal([one]);
    health.failed(one, 10_000);
    expect(health.allDown(10_001)).equal(true);
    health.answered(one);
    expect(health.allDown(10_001)).equal(false);
  });
});
