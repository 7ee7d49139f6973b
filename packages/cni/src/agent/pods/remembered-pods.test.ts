import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NetworkNamespace } from '@ambient/linux';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import type { CapturedPod } from './captured-pod.ts';
import { readRemembered, RememberedPods } from './remembered-pods.ts';

const silent = new Logger(new LogLevels('off'), { write: () => undefined }, 'test');
const netns = NetworkNamespace.borrow(0);

describe('captured pods in a file', () => {
  let directory: string;
  let path: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'remembered-'));
    path = join(directory, 'run', 'pods.json');
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const pod = (uid: string, complete = true): CapturedPod => ({
    uid,
    name: `name-${uid}`,
    namespace: 'shop',
    serviceAccount: 'default',
    netns,
    capture: undefined,
    complete,
    addresses: ['10.0.0.2', 'fd00::2'],
    unheardUntilMs: 0,
  });
  const read = async (found: (uid: string) => boolean = () => true): Promise<string[]> => {
    const pods = await readRemembered(path, {
      find: ({ uid }) => Promise.resolve(found(uid) ? netns : undefined),
    });
    return [...pods.values()].map((each) => (each.netns === undefined ? `${each.uid}, unfound` : each.uid));
  };

  it('are those that are wholly captured, written after a moment, for nobody else to read', async () => {
    const clock = new ManualClock();
    using remembered = new RememberedPods(path, () => [pod('a'), pod('b', false), pod('c')], clock, silent);
    remembered.touch();
    expect(await read()).to.deep.equal([]);
    clock.advance(200);
    expect(await read()).to.deep.equal(['a', 'c']);
    expect(await read((uid) => uid === 'c')).to.deep.equal(['a, unfound', 'c']);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
  });

  it('are read without what is no pod, and a file that is none is empty', async () => {
    expect(await read(), 'no file').to.deep.equal([]);
    path = join(directory, 'pods.json');
    writeFileSync(path, '{');
    expect(await read()).to.deep.equal([]);
    const { netns: _netns, capture: _capture, ...good } = pod('a');
    const bad = [null, 1, {}, { ...good, uid: '' }, { ...good, addresses: ['10.0.0.2; flush'] }];
    writeFileSync(path, JSON.stringify([...bad, good]));
    expect(await read()).to.deep.equal(['a']);
  });
});
