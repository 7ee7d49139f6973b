import { expect } from 'chai';
import fc from 'fast-check';
import { ManualClock } from '@ambient/runtime';
import { fuzzBudget } from '@ambient/testkit';

import { KubeClient } from './client.ts';
import { KubeConnectionError, KubeStatusError } from './errors.ts';
import { FakeApi, refuse } from './testing/fake-api.ts';
import { HttpListWatch, parseWatchLine } from './list-watch.ts';
import type { KubeObject } from './objects.ts';
import { settled, testLog, until } from './testing/quiet-log.ts';
import { Reflector } from './reflector.ts';
import { trimObject } from './trim.ts';

const path = '/api/v1/configmaps';
const object = (name: string): { metadata: { name: string; namespace: string; uid: string } } => ({
  metadata: { name, namespace: 'n', uid: `uid-${name}` },
});

describe('HttpListWatch under a Reflector', () => {
  let api: FakeApi;
  beforeEach(async () => (api = await FakeApi.start()));
  afterEach(() => api[Symbol.asyncDispose]());

  /** Timers of the reflector fire as soon as they are set, but the watchdog. */
  function follow() {
    const connection = api.connection();
    const objects = new Map<string, KubeObject>();
    const clock = new ManualClock();
    const reflector = new Reflector<KubeObject>({
      source: new HttpListWatch({ client: new KubeClient(connection, clock), path, random: () => 0 }),
      target: {
        get: (key) => objects.get(key),
        keys: () => [...objects.keys()],
        put: (key, o) => void objects.set(key, o),
        remove: (key) => void objects.delete(key),
      },
      prepare: (raw) => trimObject('ConfigMap', 'v1', raw),
      clock,
      log: testLog(),
      pageSize: 2,
    });
    reflector.start();
    const names = (): string[] => [...objects.keys()].sort();
    return {
      reflector,
      /** Waits until exactly these are known, letting delays pass. */
      has: async (...expected: string[]): Promise<void> => {
        while (names().join() !== expected.map((name) => `n/${name}`).join()) {
          if (reflector.state().phase === 'waiting') clock.advance(clock.nextTimerInMs ?? 0);
          await settled(1);
        }
      },
      watching: async (): Promise<void> => until(() => api.watching > 0),
      [Symbol.asyncDispose]: async (): Promise<void> => {
        await reflector.stop();
        connection[Symbol.dispose]();
        expect(clock.pendingTimers).equal(0);
      },
    };
  }

  it('pages, then watches with bookmarks and a server-side end', async () => {
    for (const name of ['a', 'b', 'c']) api.put(path, object(name));
    await using follower = follow();
    await follower.has('a', 'b', 'c');
    await follower.watching();
    expect(api.log).deep.equal([
      `GET ${path}?limit=2`,
      `GET ${path}?limit=2&continue=2`,
      `GET ${path}?watch=true&allowWatchBookmarks=true&resourceVersion=103&timeoutSeconds=300`,
    ]);
    api.remove(path, 'n/b');
    api.put(path, object('d'));
    await follower.has('a', 'c', 'd');
  });

  it('survives resets, half lines, 410, 429, 500 and a body that breaks off, in a row', async () => {
    api.put(path, object('a'));
    await using follower = follow();
    await follower.has('a');

    await follower.watching();
    api.endWatches('reset');
    api.put(path, object('b'));
    await follower.has('a', 'b');

    await follower.watching();
    api.send(path, '{"type":"ADDED","object":{"metadata":{"name":"ha');
    api.endWatches('clean');
    api.put(path, object('c'));
    await follower.has('a', 'b', 'c');
    expect(follower.reflector.state().lists, 'an unfinished line is no event').equal(1);

    await follower.watching();
    api.oldestVersion = Number(api.version) + 2;
    api.endWatches('reset');
    api.put(path, object('d'));
    api.remove(path, 'n/a');
    api.script.push(
      refuse(500, 'InternalError'),
      () => false,
      refuse(429, 'TooManyRequests', { 'retry-after': '1' }),
      (_, response) => {
        response.writeHead(200, { 'content-length': '500' }).write('{"metadata":');
        setImmediate(() => response.destroy());
      },
    );
    await follower.has('b', 'c', 'd');
  });

  it('garbage within a watch makes it list again', async () => {
    api.put(path, object('a'));
    await using follower = follow();
    await follower.has('a');
    await follower.watching();
    api.send(path, '<html>\n');
    await until(() => follower.reflector.state().failures > 0);
    api.put(path, object('b'));
    await follower.has('a', 'b');
    expect(follower.reflector.state().lists).equal(2);
  });
});

describe('HttpListWatch', () => {
  const names = ({ items }: { readonly items: readonly unknown[] }): string[] =>
    items.map((item) => (item as KubeObject).metadata.name);

  it('asks for two pages ahead, and gives them to whoever goes on with that list alone', async () => {
    await using api = await FakeApi.start();
    for (const name of 'abcdefghi') api.put(path, object(name));
    using connection = api.connection();
    const source = new HttpListWatch({ client: new KubeClient(connection, new ManualClock()), path });
    const { signal } = new AbortController();
    const asked = (): string[] => api.log.map((line) => /continue=(\d+)/.exec(line)?.[1] ?? 'first');
    const first = await source.list('', 2, signal);
    await until(() => asked().length === 3);
    await settled(5);
    expect(asked()).deep.equal(['first', '2', '4']);
    expect(names(await source.list(first.next, 2, signal))).deep.equal(['c', 'd']);
    await until(() => asked().length === 4);
    // A list from the start takes nothing of the one before.
    expect(names(await source.list('', 4, signal))).deep.equal(['a', 'b', 'c', 'd']);
    expect(names(await source.list('4', 4, signal))).deep.equal(['e', 'f', 'g', 'h']);
    const last = await source.list('8', 4, signal);
    expect([names(last), last.next]).deep.equal([['i'], '']);
    expect(asked()).deep.equal(['first', '2', '4', '6', 'first', '4', '8']);
  });

  it('tells of a page ahead that failed when that page is asked for', async () => {
    await using api = await FakeApi.start();
    for (const name of 'abc') api.put(path, object(name));
    using connection = api.connection();
    const source = new HttpListWatch({ client: new KubeClient(connection, new ManualClock()), path });
    const { signal } = new AbortController();
    api.script.push(() => false, refuse(410, 'Expired'));
    const { next } = await source.list('', 2, signal);
    await until(() => api.log.length === 2);
    const error = await source.list(next, 2, signal).catch((reason: unknown) => reason);
    expect(error).instanceOf(KubeStatusError).property('expired', true);
  });
});

describe('parseWatchLine', () => {
  it('tells an ERROR event as the status it is', () => {
    const line = JSON.stringify({ type: 'ERROR', object: { code: 410, reason: 'Expired', message: 'm' } });
    try {
      parseWatchLine(path, line);
      expect.fail('nothing was thrown');
    } catch (error) {
      expect((error as KubeStatusError).expired).equal(true);
    }
  });

  it('any line is an event or an error of its own class [fuzz]', () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'X'),
          object: fc.jsonValue(),
        })
        .map((event) => JSON.stringify(event)),
    );
    fc.assert(
      fc.property(line, (text) => {
        try {
          expect(parseWatchLine(path, text).type).oneOf(['put', 'remove', 'bookmark']);
        } catch (error) {
          if (!(error instanceof KubeStatusError || error instanceof KubeConnectionError)) throw error;
        }
      }),
      fuzzBudget(),
    );
  });
});
