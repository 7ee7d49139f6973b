import { expect } from 'chai';

import type { ListWatch } from './list-watch.ts';
import { mapTarget } from './map-target.ts';
import type { KubeObject } from './objects.ts';
import { ReflectorGroup } from './reflector-group.ts';
import { settled, testLog } from './testing/quiet-log.ts';
import { trimObject } from './trim.ts';

interface Collection {
  readonly source: ListWatch;
  /** Answers the list. */
  readonly answer: () => void;
  watching: boolean;
}

function collection(path: string): Collection {
  const listed = Promise.withResolvers<void>();
  const made: Collection = {
    watching: false,
    answer: listed.resolve,
    source: {
      path,
      list: async () => {
        await listed.promise;
        return { items: [], resourceVersion: '1', next: '' };
      },
      watch: (_from, _event, _activity, signal) => {
        made.watching = true;
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            made.watching = false;
            resolve();
          });
        });
      },
    },
  };
  return made;
}

function follow(group: ReflectorGroup, { source }: Collection): void {
  group.add<KubeObject>({
    source,
    target: mapTarget(new Map<string, KubeObject>()),
    prepare: (raw) => trimObject('ConfigMap', 'v1', raw),
    log: testLog(),
  });
}

describe('a group of reflectors', () => {
  it('is synced when the last of them is, and stops them all', async () => {
    const group = new ReflectorGroup();
    const [one, two] = [collection('/one'), collection('/two')];
    follow(group, one);
    follow(group, two);
    let synced = false;
    void group.synced.then(() => (synced = true));
    group.start();
    one.answer();
    await settled();
    expect([synced, one.watching, two.watching]).deep.equal([false, true, false]);
    two.answer();
    await settled();
    expect([synced, two.watching]).deep.equal([true, true]);
    await group.stop();
    expect([one.watching, two.watching]).deep.equal([false, false]);
  });
});
