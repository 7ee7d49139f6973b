import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NetnsFinder, podUidOf, startTicksOf } from './find-netns.ts';

const uid = '0a1b2c3d-1111-2222-3333-444455556666';

describe('the pod of a process', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    [
      'systemd',
      `0::/kubepods.slice/kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-ab.scope`,
      uid,
    ],
    ['cgroupfs, version 1', `5:cpu:/kubepods/besteffort/pod${uid}/ab\n4:mem:/kubepods/pod${uid}/ab`, uid],
    [
      'a node inside a container',
      `0::/kubepods/pod99999999-1111-2222-3333-444455556666/x/kubepods/pod${uid}/ab`,
      uid,
    ],
    [
      'a static pod',
      '0::/kubepods/pod0123456789abcdef0123456789abcdef/ab',
      '0123456789abcdef0123456789abcdef',
    ],
    ['no pod', '0::/system.slice/podman.service', undefined],
    ['a process that is gone', '', undefined],
  ];
  for (const [title, cgroup, expected] of cases)
    it(`by its cgroup: ${title}`, () => expect(podUidOf(cgroup)).to.equal(expected));

  it('started when /proc/PID/stat says, whatever its name', () => {
    const fields = Array.from({ length: 30 }, (_, i) => String(i + 3));
    expect(startTicksOf(`12 (a) b (c) ${fields.join(' ')}`)).to.equal(22);
    expect(startTicksOf('nonsense')).to.equal(undefined);
    expect(startTicksOf(undefined)).to.equal(undefined);
  });
});

describe('the namespace of a pod that runs', () => {
  const other = '99999999-1111-2222-3333-444455556666';
  let proc: string;

  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), 'proc-'));
    startProcess(1, undefined);
  });
  afterEach(() => rmSync(proc, { recursive: true }));

  /** As /proc has it. A file that is no namespace stands for one: the finder compares and opens it. */
  function startProcess(pid: number, pod: string | undefined, startTicks = 100): void {
    const directory = join(proc, String(pid));
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(join(directory, 'ns'), { recursive: true });
    writeFileSync(
      join(directory, 'cgroup'),
      pod === undefined ? '0::/init.scope' : `0::/kubepods/pod${pod}/c`,
    );
    writeFileSync(join(directory, 'stat'), `${pid} (app) S ${'0 '.repeat(18)}${startTicks} 0`);
    const namespace = join(proc, `netns-of-${pod ?? 'node'}`);
    writeFileSync(namespace, pod ?? 'node');
    symlinkSync(namespace, join(directory, 'ns', 'net'));
  }

  async function isFound(finder: NetnsFinder, pod: string): Promise<boolean> {
    using found = await finder.find({ uid: pod, addresses: [] });
    return found !== undefined;
  }

  it('is found by one walk for all pods, also when they are asked for one after the other', async () => {
    startProcess(7, uid);
    startProcess(8, other);
    let walks = 0;
    const finder = new NetnsFinder(proc, () => {
      walks++;
      return readdirSync(proc);
    });
    expect(await Promise.all([isFound(finder, uid), isFound(finder, other)])).to.deep.equal([true, true]);
    expect(await isFound(finder, other)).to.equal(true);
    expect(await isFound(finder, uid)).to.equal(true);
    expect(walks).to.equal(1);
  });

  it('is looked for anew when the pod was not there at the last walk', async () => {
    const finder = new NetnsFinder(proc);
    expect(await isFound(finder, uid)).to.equal(false);
    startProcess(7, uid);
    expect(await isFound(finder, uid)).to.equal(true);
  });

  it('is not that of a process which has got the number since', async () => {
    startProcess(7, uid);
    const finder = new NetnsFinder(proc);
    expect(await isFound(finder, uid)).to.equal(true);
    startProcess(7, other);
    expect(await isFound(finder, uid)).to.equal(false);
    expect(await isFound(finder, other)).to.equal(true);
  });

  it('is looked for anew when the process is a later one of the same number', async () => {
    startProcess(7, uid);
    const finder = new NetnsFinder(proc);
    expect(await isFound(finder, uid)).to.equal(true);
    startProcess(7, uid, 200);
    // Older than the one that has the number now.
    startProcess(8, uid, 150);
    rmSync(join(proc, '7', 'ns'), { recursive: true });
    expect(await isFound(finder, uid)).to.equal(true);
  });
});
