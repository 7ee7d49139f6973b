import type { Workload } from '@ambient/mesh';
import { CounterTable, LogLevels, Logger } from '@ambient/runtime';
import { expect } from 'chai';
import { metricDefinitions } from '../telemetry/metric-definitions.ts';
import { PausedTimers } from '../testing/paused-timers.ts';
import { DnsMetrics } from './dns-metrics.ts';
import type { AskServer, AttemptHandler } from './forwarded-query.ts';
import type { DnsClientLink } from './responder.ts';
import { ANSWER_AT, Responder, answerMemory } from './responder.ts';
import { StaleAnswers, staleKey } from './stale-answers.ts';
import { parsedQuery, queryMessage, readAnswer, scopeOf, serviceAt, shopClient } from './testing/messages.ts';
import type { Answer } from './testing/messages.ts';
import { UpstreamHealth } from './upstream-health.ts';

const servers = [{ ip: '10.0.0.1', port: 53 }];

/** A responder whose clients, servers, clock and control plane are the test's. */
class Bench {
  readonly timers = new PausedTimers();
  readonly answers: Answer[] = [];
  readonly asked: AttemptHandler[] = [];
  readonly lines: string[] = [];
  readonly counters = new CounterTable(metricDefinitions);
  readonly health = new UpstreamHealth(servers);
  known: Workload | undefined = shopClient;
  readonly #waiting: ((workload: Workload | undefined) => void)[] = [];
  readonly responder: Responder;

  constructor() {
    const ask: AskServer = (_server, _protocol, _message, _questionEnd, handler) => {
      this.asked.push(handler);
      return { close: () => undefined };
    };
    const known = (): Workload | undefined => this.known;
    const find = (use: (workload: Workload | undefined) => void): void => void this.#waiting.push(use);
    const workloads = {
      get current() {
        return known();
      },
      get sender() {
        return known();
      },
      find,
      findSender: find,
    };
    this.responder = new Responder({
      reactor: this.timers.reactor,
      scope: scopeOf([serviceAt('shop', 'web.shop.svc.cluster.local', '10.96.0.1')]),
      workloads,
      ask,
      health: this.health,
      metrics: new DnsMetrics(this.counters),
      log: new Logger(
        new LogLevels('info', 'ztunnel'),
        { write: (level, _scope, message) => this.lines.push(`${level} ${message}`) },
        'dns',
      ),
    });
  }

  ask(name: string, id = 7): void {
    const link: DnsClientLink = {
      protocol: 'udp',
      reply: (length) => {
        const bytes = answerMemory.bytes.subarray(ANSWER_AT, ANSWER_AT + length);
        this.answers.push(readAnswer(Buffer.from(bytes)));
      },
      ignore: () => undefined,
    };
    // What the message was received into is used for the next one.
    const message = queryMessage(name, { id });
    this.responder.take(message, link);
    message.fill(0xff);
  }

  /** Upstream answers the question that it was asked last. */
  answerLast(name: string, rcode = 0): void {
    const answer = Buffer.concat([
      queryMessage(name),
      Buffer.from('c00c00010001000000ff0004c0000201', 'hex'),
    ]);
    answer.writeUInt16BE(0x8180 | rcode, 2);
    answer.writeUInt16BE(1, 6);
    this.asked.at(-1)!.onAnswer(answer);
  }

  tell(workload: Workload | undefined): void {
    this.known = workload;
    for (const use of this.#waiting.splice(0)) use(workload);
  }

  get rcodes(): string[] {
    return this.answers.map(({ rcode }) => rcode);
  }
}

describe('Responder, before the pod is known', () => {
  it('answers when the control plane has told the pod', () => {
    const bench = new Bench();
    bench.known = undefined;
    bench.ask('web');
    expect(bench.answers).deep.equal([]);
    expect(bench.responder.waiting).equal(1);
    bench.tell(shopClient);
    expect(bench.answers[0]!.records).deep.equal(['web A 10.96.0.1']);
    expect(bench.responder.waiting).equal(0);
  });

  it('says SERVFAIL when it does not', () => {
    const bench = new Bench();
    bench.known = undefined;
    bench.ask('web');
    bench.tell(undefined);
    expect(bench.rcodes).deep.equal(['SERVFAIL']);
    const [series] = bench.counters.drainDeltas(0);
    expect(series!.labels).deep.equal(['a', 'udp', 'unknown', 'unknown']);
  });

  it('says nothing once it is closed', () => {
    const bench = new Bench();
    bench.known = undefined;
    bench.ask('web');
    bench.responder.close();
    bench.tell(shopClient);
    expect(bench.answers).deep.equal([]);
  });
});

describe('Responder, hostile', () => {
  it('lets 256 questions of a pod wait, fails further ones, and says so once until half are answered', () => {
    const bench = new Bench();
    for (let id = 0; id < 300; id++) bench.ask('slow.example', id);
    expect(bench.asked).length(256);
    expect(bench.rcodes).deep.equal(Array(44).fill('SERVFAIL'));
    expect(bench.lines).length(1);
    expect(bench.lines[0]).match(/^warn 256 questions of the pod wait already/);
    for (const handler of bench.asked.slice(0, 200)) handler.onFailure(new Error('refused'));
    bench.ask('slow.example');
    expect(bench.asked).length(257);
  });
});

describe('Responder, while upstream is silent', () => {
  const warm = (): Bench => {
    const bench = new Bench();
    bench.ask('a.example');
    bench.answerLast('a.example');
    bench.answers.length = 0;
    return bench;
  };

  it('answers from the past after 1.8 s, and once', () => {
    const bench = warm();
    bench.ask('a.example', 42);
    bench.timers.advance(1700);
    expect(bench.answers).deep.equal([]);
    bench.timers.advance(108);
    expect(bench.answers[0]).deep.include({ id: 42, rcode: 'NOERROR' });
    expect(bench.answers[0]!.packet.answers![0]).include({ ttl: 30 });
    bench.answerLast('a.example');
    expect(bench.answers).length(1);
  });

  it('fails after 4.5 s what it has never known', () => {
    const bench = warm();
    bench.ask('b.example');
    for (let i = 0; i < 6; i++) bench.timers.advance(1000);
    expect(bench.rcodes).deep.equal(['SERVFAIL']);
  });

  it('answers at once from the past when all servers are down, and asks upstream one question at a time', () => {
    const bench = warm();
    for (let i = 0; i < 3; i++) bench.health.failed(servers[0]!, 0);
    const before = bench.asked.length;
    for (let i = 0; i < 5; i++) bench.ask('a.example');
    expect(bench.rcodes).deep.equal(Array(5).fill('NOERROR'));
    expect(bench.asked.length - before).equal(1);
    bench.answerLast('a.example');
    bench.ask('a.example');
    expect(bench.answers).length(5);
    bench.answerLast('a.example');
    expect(bench.answers).length(6);
  });

  it('never answers from the past what upstream answers, were it an error', () => {
    const bench = warm();
    bench.ask('a.example');
    bench.answerLast('a.example', 2);
    expect(bench.rcodes).deep.equal(['SERVFAIL']);
  });
});

describe('StaleAnswers', () => {
  const message = queryMessage('a.example');
  const query = parsedQuery(message);
  const answer = (bytes: number): Buffer => Buffer.concat([message, Buffer.alloc(bytes - message.length)]);

  it('are bounded in number, in bytes and in age', () => {
    const answers = new StaleAnswers();
    for (let i = 0; i < 300; i++) answers.keep(`k${i}`, query, answer(100), 0);
    expect(answers.size).equal(256);
    expect(answers.find('k0', 0)).equal(undefined);
    for (let i = 0; i < 100; i++) answers.keep(`l${i}`, query, answer(2048), 0);
    expect(answers.bytes).most(65_536);
    answers.keep('large', query, answer(2049), 0);
    expect(answers.find('large', 0)).equal(undefined);
    expect(answers.find('l99', 86_400_000)).length(2048);
    expect(answers.find('l99', 86_400_001)).equal(undefined);
  });

  it('are not mixed up: type, EDNS, DO and the flags of the question count', () => {
    const key = (options: Parameters<typeof queryMessage>[1]): string | undefined => {
      const asked = queryMessage('a.example', options);
      return staleKey(asked, parsedQuery(asked));
    };
    const keys = [
      {},
      { type: 'AAAA' },
      { edns: 1232 },
      { edns: 1232, dnssecOk: true },
      { flags: 0x0110 },
    ].map(key);
    expect(new Set(keys).size).equal(5);
    expect(key({ id: 1 })).equal(key({ id: 2 }));
  });
});
