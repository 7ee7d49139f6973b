import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import { alreadySays } from './applied-fields.ts';
import { ApplyQueue, statusRequest } from './apply.ts';
import type { ApplyQueueOptions, ApplyRequest } from './apply.ts';
import type { KubeRequest } from './client.ts';
import { KubeConnectionError, KubeStatusError } from './errors.ts';
import { settled, testLog } from './testing/quiet-log.ts';

class Rig {
  readonly clock = new ManualClock();
  readonly sent: KubeRequest[] = [];
  readonly log: string[] = [];
  readonly failures: string[] = [];
  /** What the next requests end with. */
  readonly errors: (Error | undefined)[] = [];
  /** Requests that wait for `release`. */
  held: (() => void)[] | undefined;
  readonly queue: ApplyQueue;

  constructor(options: Partial<ApplyQueueOptions> = {}) {
    this.queue = new ApplyQueue({
      client: {
        request: async <T>(request: KubeRequest): Promise<T> => {
          this.sent.push(request);
          const error = this.errors.shift();
          if (this.held !== undefined) await new Promise<void>((resolve) => this.held?.push(resolve));
          if (error !== undefined) throw error;
          return {} as T;
        },
      },
      log: testLog(this.log),
      clock: this.clock,
      random: () => 0.5,
      perSecond: 20,
      burst: 50,
      onFailure: ({ request }) => this.failures.push(request.path),
      ...options,
    });
    this.queue.start();
  }

  async pass(ms: number): Promise<this> {
    this.clock.advance(ms);
    await settled();
    return this;
  }

  get messages(): string[] {
    return this.sent.map(({ body }) => JSON.stringify((body as { status: unknown }).status));
  }
}

function say(status: unknown, name = 'a', observed?: unknown): ApplyRequest {
  return {
    path: `/api/v1/namespaces/n/services/${name}`,
    subresource: 'status',
    fieldManager: 'm',
    body: { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'n' }, status },
    ...(observed === undefined ? {} : { observed }),
  };
}

describe('ApplyQueue', () => {
  it('applies with its manager, by force', async () => {
    const rig = new Rig();
    rig.queue.submit(say('x'));
    await settled();
    expect(rig.sent[0]).deep.include({
      method: 'PATCH',
      path: '/api/v1/namespaces/n/services/a/status',
      query: { fieldManager: 'm', force: true },
      contentType: 'application/apply-patch+yaml',
    });
    expect(rig.queue.written).equal(1);
  });

  it('writes nothing that the object says already', async () => {
    const rig = new Rig();
    rig.queue.submit(
      say(
        { conditions: [{ type: 'A', status: 'True' }] },
        'a',
        say({ conditions: [{ type: 'A', status: 'True', reason: 'R' }] }).body,
      ),
    );
    await settled();
    expect(rig.sent).deep.equal([]);
    expect(rig.queue.waiting).equal(0);
  });

  it('of many changes of one object the last is written, ever less often; others are not held up', async () => {
    const rig = new Rig();
    for (let i = 0; i < 6000; i++) {
      rig.queue.submit(say(`${i}`));
      if (i === 100) rig.queue.submit(say('other', 'b'));
      await rig.pass(10);
    }
    const flapping = rig.messages.filter((message) => message !== '"other"');
    expect(flapping.length).within(5, 8);
    expect(rig.messages).include('"other"');
    await rig.pass(120_000);
    expect(rig.messages.at(-1)).equal('"5999"');
  });

  it('one that somebody changes every few seconds is written at once each time', async () => {
    const rig = new Rig();
    for (let i = 0; i < 20; i++) {
      rig.queue.submit(say(`${i}`));
      await settled();
      expect(rig.messages.at(-1)).equal(`"${i}"`);
      await rig.pass(3000);
    }
  });

  it('drops what was made for another version of the object, and writes at once what is made for the next', async () => {
    const rig = new Rig();
    const made = (resourceVersion: string): ApplyRequest => {
      const request = say(resourceVersion);
      return { ...request, body: { ...request.body, metadata: { name: 'a', resourceVersion } } };
    };
    rig.errors.push(new KubeStatusError('p', 409, 'Conflict', 'modified'));
    rig.queue.submit(made('1'));
    await settled();
    expect(rig.queue.waiting).equal(0);
    expect(rig.log.concat(rig.failures)).deep.equal([]);
    rig.queue.submit(made('2'));
    await settled();
    expect(rig.messages).deep.equal(['"1"', '"2"']);
    expect(rig.queue.written).equal(1);
  });

  describe('of a list that others write, too', () => {
    const version = (resourceVersion: string): ApplyRequest['body'] => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', resourceVersion },
      status: resourceVersion,
    });
    const conflict = (): Error => new KubeStatusError('p', 409, 'Conflict', 'modified');
    const shared = (revise: ApplyRequest['revise'] = () => version('2')): ApplyRequest => ({
      ...say(''),
      body: version('1'),
      revise,
    });

    it('patches the version that it knows, by no force', async () => {
      const rig = new Rig();
      rig.queue.submit(shared());
      await settled();
      expect(rig.sent).deep.equal([
        {
          method: 'PATCH',
          path: '/api/v1/namespaces/n/services/a/status',
          query: { fieldManager: 'm' },
          contentType: 'application/merge-patch+json',
          body: version('1'),
        },
      ]);
      expect(rig.queue.written).equal(1);
    });

    it('reads the object anew when it has changed, and writes what is made of that', async () => {
      const rig = new Rig();
      const read: unknown[] = [];
      rig.errors.push(conflict());
      rig.queue.submit(shared((current) => (read.push(current), version('2'))));
      await settled();
      expect(rig.sent.map(({ method, path }) => `${method ?? 'GET'} ${path.slice(-8)}`)).deep.equal([
        'PATCH a/status',
        'GET rvices/a',
        'PATCH a/status',
      ]);
      expect(rig.sent[2]?.body).deep.equal(version('2'));
      expect([read, rig.queue.written, rig.log]).deep.equal([[{}], 1, []]);
    });

    it('writes nothing where nothing is left to be written', async () => {
      const rig = new Rig();
      rig.errors.push(conflict());
      rig.queue.submit(shared(() => undefined));
      await rig.pass(60_000);
      expect([rig.sent.length, rig.queue.written, rig.queue.waiting]).deep.equal([2, 0, 0]);
    });

    it('leaves what was made anew unwritten where the queue has been stopped meanwhile', async () => {
      const rig = new Rig();
      rig.errors.push(conflict());
      rig.queue.submit(shared(() => (rig.queue.stop(), version('2'))));
      await settled();
      expect(rig.sent.map(({ method }) => method)).deep.equal(['PATCH', undefined]);
      expect([rig.queue.written, rig.log]).deep.equal([0, []]);
    });

    it('tries again later when others are faster again and again', async () => {
      const rig = new Rig();
      for (let i = 0; i < 4; i++) rig.errors.push(conflict(), ...(i < 3 ? [undefined] : []));
      rig.queue.submit(shared());
      await settled();
      await settled();
      expect(rig.sent.length).equal(7);
      expect(rig.log).deep.equal(['warn apply failed, trying again']);
      await rig.pass(1000);
      expect([rig.sent.length, rig.queue.written]).deep.equal([8, 1]);
    });

    it('forgets an object that is gone when it is read anew', async () => {
      const rig = new Rig();
      rig.errors.push(conflict(), new KubeStatusError('p', 404, 'NotFound', ''));
      rig.queue.submit(shared());
      await rig.pass(60_000);
      expect([rig.sent.length, rig.log]).deep.equal([2, []]);
    });
  });

  it('keeps to its rate over all objects', async () => {
    const rig = new Rig({ perSecond: 10, burst: 5, parallel: 100 });
    for (let i = 0; i < 100; i++) rig.queue.submit(say('x', `s${i}`));
    await settled();
    expect(rig.sent.length).equal(5);
    for (let i = 0; i < 40; i++) await rig.pass(100);
    expect(rig.sent.length).within(44, 46);
    expect(rig.queue.waiting).equal(100 - rig.sent.length);
  });

  describe('before a crowd that came at once', () => {
    const crowd = 10_000;

    /** A queue as a new leader fills it. */
    function crowded(): Rig {
      const rig = new Rig({ perSecond: 100, burst: 100 });
      for (let i = 0; i < crowd; i++) rig.queue.submit(say('stale', `s${i}`));
      return rig;
    }

    /** Passes time in steps until a status was written. @returns the time in milliseconds */
    async function untilWritten(rig: Rig, status: string, atMostMs: number): Promise<number> {
      for (let ms = 0; ms < atMostMs; ms += 10) {
        if (rig.messages.includes(`"${status}"`)) return ms;
        await rig.pass(10);
      }
      throw new Error(`${status} was not written within ${atMostMs} ms`);
    }

    it('a change is written within a second, an object of the crowd itself, too', async () => {
      const rig = crowded();
      await rig.pass(2000);
      rig.queue.submit(say('fresh', 'other'));
      expect(await untilWritten(rig, 'fresh', 1000)).lessThan(700);
      rig.queue.submit(say('changed', `s${crowd - 1000}`));
      expect(await untilWritten(rig, 'changed', 1000)).lessThan(700);
    });

    it('many changes are written as fast as the rate allows, and hold up the crowd by three quarters', async () => {
      const rig = crowded();
      for (let s = 0; s < 10; s++) await rig.pass(1000);
      const before = rig.sent.length;
      for (let ms = 0; ms < 10_000; ms += 10) {
        rig.queue.submit(say('fresh', `f${ms}`));
        await rig.pass(10);
      }
      const stale = rig.messages.slice(before).filter((message) => message === '"stale"').length;
      expect(stale).within(240, 270);
    });

    it('all of it is written, at the rate', async () => {
      const rig = crowded();
      for (let ms = 0; ms < (crowd / 100 - 1) * 1000; ms += 100) await rig.pass(100);
      expect([rig.queue.waiting, rig.queue.written]).deep.equal([0, crowd]);
    }).timeout(20_000);
  });

  it('has few requests under way, and a change meanwhile follows the one that is', async () => {
    const rig = new Rig({ parallel: 2 });
    rig.held = [];
    for (let i = 0; i < 5; i++) rig.queue.submit(say('x', `s${i}`));
    await settled();
    expect(rig.sent.length).equal(2);
    rig.queue.submit(say('y', 's0'));
    for (let i = 0; i < 10; i++) {
      for (const release of rig.held.splice(0)) release();
      await rig.pass(1100);
    }
    expect(rig.messages).deep.equal(['"x"', '"x"', '"x"', '"x"', '"x"', '"y"']);
  });

  it('tries again after a conflict, 429, 500 or a lost connection, at growing distances', async () => {
    const rig = new Rig();
    rig.errors.push(
      new KubeStatusError('p', 409, 'Conflict', ''),
      new KubeStatusError('p', 429, '', ''),
      new KubeStatusError('p', 500, '', ''),
      new KubeConnectionError('KUBE_CONNECT', 'gone'),
    );
    rig.queue.submit(say('x'));
    await settled();
    const at: number[] = [];
    for (let i = 0; i < 30; i++) {
      const before = rig.sent.length;
      await rig.pass(1000);
      if (rig.sent.length > before) at.push(i + 1);
    }
    expect([at, rig.queue.written, rig.failures]).deep.equal([[1, 3, 7, 15], 1, []]);
  });

  it('a failed attempt never overtakes a newer request', async () => {
    const rig = new Rig();
    rig.held = [];
    rig.errors.push(new KubeStatusError('p', 500, '', ''));
    rig.queue.submit(say('old'));
    await settled();
    rig.queue.submit(say('new'));
    rig.held.pop()?.();
    rig.held = undefined;
    await settled();
    await rig.pass(5000);
    expect(rig.messages).deep.equal(['"old"', '"new"']);
  });

  it('gives up what the server will not take, and forgets an object that is gone', async () => {
    const rig = new Rig();
    rig.errors.push(new KubeStatusError('p', 403, '', ''), new KubeStatusError('p', 404, '', ''));
    rig.queue.submit(say('x'));
    rig.queue.submit(say('x', 'b'));
    await rig.pass(60_000);
    expect([rig.sent.length, rig.failures]).deep.equal([2, ['/api/v1/namespaces/n/services/a']]);
    expect(rig.log).deep.equal(['warn apply refused']);
  });

  it('what is withdrawn, or said meanwhile, is not written any more', async () => {
    const rig = new Rig({ perSecond: 1, burst: 1 });
    for (const name of ['a', 'b', 'c']) rig.queue.submit(say('x', name));
    rig.queue.withdraw(say('x', 'b'));
    rig.queue.submit(say('x', 'c', say('x', 'c').body));
    await rig.pass(60_000);
    expect(rig.sent.map(({ path }) => path.at(-8))).deep.equal(['a']);
  });

  it('knows the path of a status', () => {
    const metadata = { name: 'p', namespace: 'n' };
    const body = { apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata, status: {} };
    expect(statusRequest('m', body)).deep.include({
      path: '/apis/security.istio.io/v1/namespaces/n/authorizationpolicies/p',
      subresource: 'status',
    });
  });

  it('stopped, it writes nothing and holds no timer', async () => {
    const rig = new Rig({ perSecond: 1, burst: 1 });
    for (let i = 0; i < 3; i++) rig.queue.submit(say('x', `s${i}`));
    await settled();
    rig.queue.stop();
    rig.queue.submit(say('y'));
    expect([rig.clock.pendingTimers, rig.queue.waiting]).deep.equal([0, 0]);
    await rig.pass(10_000);
    expect(rig.sent.length).equal(1);
  });
});

describe('alreadySays', () => {
  const condition = { type: 'A', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
  const cases: [string, unknown, unknown, boolean][] = [
    ['more than was applied', { a: 1, b: 2 }, { a: 1 }, true],
    ['another value', { a: 1 }, { a: 2 }, false],
    ['an absent field', {}, { a: { b: 1 } }, false],
    ['a condition among others', [{ type: 'B' }, condition], [condition], true],
    ['a later transition time', [{ ...condition, lastTransitionTime: 'later' }], [condition], true],
    ['another status', [{ ...condition, status: 'False' }], [condition], false],
    ['a missing condition', [{ type: 'B' }], [condition], false],
    ['an equal list', [1, 2], [1, 2], true],
    ['a longer list', [1, 2, 3], [1, 2], false],
    ['no list', { 0: 1 }, [1], false],
    [
      'addresses, which have a type that is no key',
      [{ type: 'IP', value: 'x' }],
      [{ type: 'IP', value: 'y' }],
      false,
    ],
  ];
  for (const [what, observed, applied, expected] of cases)
    it(`${what}: ${expected}`, () => expect(alreadySays(observed, applied)).equal(expected));
});
