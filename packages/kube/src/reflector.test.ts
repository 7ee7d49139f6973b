import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import { KubeConnectionError, KubeStatusError } from './errors.ts';
import type { ListPage, ListWatch, WatchEvent } from './list-watch.ts';
import type { KubeObject } from './objects.ts';
import { settled, testLog } from './testing/quiet-log.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector.ts';
import { trimObject } from './trim.ts';

const expired = (): KubeStatusError => new KubeStatusError('watch', 410, 'Expired', 'too old');
const tooMany = (ms?: number): KubeStatusError =>
  new KubeStatusError('list', 429, 'TooManyRequests', 'slow', ms);

function item(name: string, version: string, uid = 'u'): unknown {
  return { metadata: { name, namespace: 'n', uid, resourceVersion: version } };
}

function page(version: string, items: unknown[] = [], next = ''): ListPage {
  return { items, resourceVersion: version, next };
}

interface OpenWatch {
  readonly from: string;
  readonly event: (event: WatchEvent) => void;
  readonly activity: () => void;
  readonly end: (error?: Error) => void;
}

/** A reflector on a paused clock, whose source the test plays by hand. */
class Rig {
  readonly clock = new ManualClock();
  readonly objects = new Map<string, KubeObject>();
  readonly changes: string[] = [];
  readonly watches: OpenWatch[] = [];
  /** Answers of the next lists. */
  readonly pages: (ListPage | Error)[] = [];
  readonly lists: string[] = [];
  synced = 0;
  readonly reflector: Reflector<KubeObject>;

  constructor(options: Partial<ReflectorOptions<KubeObject>> = {}) {
    const source: ListWatch = {
      path: '/api/v1/configmaps',
      list: (next, limit) => {
        this.lists.push(`${next}/${limit}`);
        const answer = this.pages.shift() ?? page('1');
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      watch: (from, event, activity, signal) =>
        new Promise((resolve, reject) => {
          const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
          signal.addEventListener('abort', () => end(new KubeConnectionError('KUBE_CANCELLED', 'cut')));
          activity();
          this.watches.push({
            from,
            end,
            activity,
            event: (e) => {
              activity();
              event(e);
            },
          });
        }),
    };
    this.reflector = new Reflector({
      source,
      target: {
        get: (key) => this.objects.get(key),
        keys: () => [...this.objects.keys()],
        put: (key, object) => {
          this.objects.set(key, object);
          this.changes.push(`+${key}@${object.metadata.resourceVersion}`);
        },
        remove: (key) => {
          if (this.objects.delete(key)) this.changes.push(`-${key}`);
        },
      },
      prepare: (raw) => trimObject('ConfigMap', 'v1', raw),
      clock: this.clock,
      log: testLog(),
      random: () => 0.5,
      onSynced: () => this.synced++,
      ...options,
    });
  }

  async start(): Promise<this> {
    this.reflector.start();
    await settled();
    return this;
  }

  get watch(): OpenWatch {
    return this.watches.at(-1)!;
  }

  /** Fires the next timer; returns after how many milliseconds it was due. */
  async next(): Promise<number> {
    const ms = this.clock.nextTimerInMs ?? -1;
    this.clock.advance(Math.max(0, ms));
    await settled();
    return ms;
  }

  async end(error?: Error): Promise<void> {
    this.watch.end(error);
    await settled();
  }
}

describe('Reflector', () => {
  it('lists in pages, watches from there, and is synced after the first list', async () => {
    const rig = new Rig();
    rig.pages.push(page('5', [item('a', '1'), item('b', '2')], 'more'), page('5', [item('c', '3')]));
    await rig.start();
    expect(rig.lists).deep.equal(['/500', 'more/500']);
    expect(rig.changes).deep.equal(['+n/a@1', '+n/b@2', '+n/c@3']);
    expect([rig.synced, rig.reflector.synced, rig.watch.from]).deep.equal([1, true, '5']);
    rig.watch.event({ type: 'put', object: item('a', '6'), resourceVersion: '6' });
    rig.watch.event({ type: 'remove', object: item('b', '7'), resourceVersion: '7' });
    rig.watch.event({ type: 'bookmark', resourceVersion: '9' });
    expect(rig.changes.slice(3)).deep.equal(['+n/a@6', '-n/b']);
    expect(rig.reflector.state()).deep.include({
      phase: 'watching',
      resourceVersion: '9',
      events: 3,
      lists: 1,
      failures: 0,
    });
    await rig.reflector.stop();
    expect([rig.clock.pendingTimers, rig.reflector.state().phase]).deep.equal([0, 'stopped']);
  });

  it('a watch that ends after it has lived is followed by the next at once, from where it was', async () => {
    const rig = await new Rig().start();
    rig.watch.event({ type: 'bookmark', resourceVersion: '40' });
    rig.clock.advance(5000);
    await rig.end();
    expect(rig.watches.map(({ from }) => from)).deep.equal(['1', '40']);
    await rig.reflector.stop();
  });

  it('410 makes it list again, and the list changes only what differs by uid and version', async () => {
    const rig = new Rig();
    rig.pages.push(
      page('5', [item('same', '1'), item('changed', '2'), item('gone', '3'), item('again', '4', 'x')]),
    );
    await rig.start();
    rig.changes.length = 0;
    rig.pages.push(
      page('9', [item('same', '1'), item('changed', '8'), item('again', '4', 'y'), item('new', '7')]),
    );
    await rig.end(expired());
    await rig.next();
    expect(rig.changes).deep.equal(['+n/changed@8', '+n/again@4', '+n/new@7', '-n/gone']);
    expect([rig.watch.from, rig.synced]).deep.equal(['9', 1]);
    await rig.reflector.stop();
  });

  it('pages whose snapshot expired are replaced by a list at once, without limit', async () => {
    const rig = new Rig();
    rig.pages.push(page('5', [item('a', '1')], 'more'), expired(), page('6', [item('b', '2')]));
    await rig.start();
    expect(rig.lists).deep.equal(['/500', 'more/500', '/0']);
    expect([...rig.objects.keys()]).deep.equal(['n/b']);
    await rig.reflector.stop();
  });

  it('a server that was restored from an older state is listed anew, and equal versions are not believed', async () => {
    const rig = new Rig();
    rig.pages.push(page('50', [item('a', '40'), item('b', '50')]));
    await rig.start();
    const tooLarge = new KubeStatusError(
      'watch',
      504,
      'Timeout',
      'Too large resource version: 50, current: 45',
    );
    rig.changes.length = 0;
    rig.pages.push(page('45', [item('a', '40')]));
    await rig.end(tooLarge);
    await rig.next();
    expect(rig.changes).deep.equal(['+n/a@40', '-n/b']);
    expect(rig.watch.from).equal('45');
    expect(() => rig.watch.event({ type: 'bookmark', resourceVersion: '45' })).not.to.throw();
    expect(() => rig.watch.event({ type: 'bookmark', resourceVersion: '44' })).to.throw(
      /restored from an older/,
    );
    rig.changes.length = 0;
    rig.pages.push(page('44', [item('a', '40')]));
    await rig.end(new KubeStatusError('watch', 410, 'Rewound', 'older'));
    await rig.next();
    expect(rig.changes).deep.equal(['+n/a@40']);
    expect(rig.watch.from).equal('44');
  });

  it('429 waits as long as the server asks', async () => {
    const rig = new Rig();
    rig.pages.push(tooMany(7000));
    await rig.start();
    expect(await rig.next()).equal(7000);
    expect(rig.reflector.synced).equal(true);
    await rig.reflector.stop();
  });

  it('an API server that is gone for a minute is asked at growing distances, and nothing is lost meanwhile', async () => {
    const rig = new Rig();
    rig.pages.push(page('5', [item('a', '1')]));
    await rig.start();
    await rig.end(new KubeConnectionError('KUBE_CONNECT', 'gone'));
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      waits.push(await rig.next());
      await rig.end(new KubeConnectionError('KUBE_CONNECT', 'gone'));
    }
    expect(waits).deep.equal([200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(rig.watch.from).equal('5');
    expect([...rig.objects.keys()]).deep.equal(['n/a']);
    expect(rig.reflector.state()).deep.include({ failures: 9, lastError: 'gone', phase: 'waiting' });
    await rig.next();
    rig.clock.advance(10_000);
    rig.watch.activity();
    expect(rig.reflector.state()).deep.include({ failures: 0, lastError: '' });
    await rig.reflector.stop();
  });

  it('a server that ends each watch at once, cleanly or with 410, cannot make it spin', async () => {
    for (const error of [undefined, expired(), new KubeStatusError('watch', 500, '', 'oops')]) {
      const rig = await new Rig().start();
      let waited = 0;
      for (let i = 0; i < 10; i++) {
        rig.watch.event({ type: 'put', object: item('a', `${100 + i}`), resourceVersion: `${100 + i}` });
        await rig.end(error);
        waited += await rig.next();
      }
      expect(rig.watches.length).equal(11);
      expect(waited).greaterThan(30_000);
      await rig.reflector.stop();
    }
  });

  it('a watch that falls silent is replaced from where it was; one that speaks now and then is not', async () => {
    const rig = await new Rig({ silenceMs: 90_000 }).start();
    rig.clock.advance(60_000);
    rig.watch.event({ type: 'bookmark', resourceVersion: '33' });
    rig.clock.advance(60_000);
    await settled();
    expect(rig.watches.length).equal(1);
    rig.clock.advance(30_000);
    await settled();
    expect(rig.watches.map(({ from }) => from)).deep.equal(['1', '33']);
    expect(rig.reflector.state().failures).equal(0);
    await rig.reflector.stop();
  });

  it('an event that cannot be read makes it list again', async () => {
    const rig = await new Rig().start();
    await rig.end(new KubeConnectionError('KUBE_BODY', 'no JSON'));
    await rig.next();
    expect(rig.lists.length).equal(2);
    await rig.reflector.stop();
  });

  it('what is no object is counted and skipped, the rest is taken', async () => {
    const rig = new Rig();
    const odd = [null, 7, {}, { metadata: {} }, { metadata: { name: '' } }, { metadata: { name: {} } }];
    rig.pages.push(page('5', [...odd, item('a', '1')]));
    await rig.start();
    rig.watch.event({ type: 'put', object: [], resourceVersion: '6' });
    expect([...rig.objects.keys()]).deep.equal(['n/a']);
    expect(rig.reflector.state()).deep.include({ malformed: 7, resourceVersion: '6' });
    await rig.reflector.stop();
  });

  it('stopped while it waits, it leaves no timer; stopped while it lists, it opens no watch', async () => {
    const rig = new Rig();
    rig.pages.push(tooMany());
    await rig.start();
    await rig.reflector.stop();
    expect(rig.clock.pendingTimers).equal(0);
    const listing = new Rig();
    listing.reflector.start();
    await listing.reflector.stop();
    expect([listing.watches.length, listing.objects.size]).deep.equal([0, 0]);
  });
});
