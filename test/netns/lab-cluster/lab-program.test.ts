import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { KubeClient, KubeConnection } from '@ambient/kube';
import { LabProgram, processes } from './lab-program.ts';

const SMALL = ['--no-mesh', '--no-samples', '--nodes', '1'];
/** On a machine that has something else to do as well. */
const STOPS_WITHIN_MS = 8000;

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: { readonly addresses: readonly { readonly type: string; readonly address: string }[] };
  }[];
}

async function nodesOf(lab: LabProgram): Promise<NodeList['items']> {
  using connection = KubeConnection.fromFile(join(lab.directory, 'kubeconfig'));
  const { items } = await new KubeClient(connection).request<NodeList>({ path: '/api/v1/nodes' });
  return items;
}

describe('the lab program', function () {
  this.timeout(120_000);
  let before: ReadonlySet<number>;
  beforeEach(() => {
    before = new Set(processes());
  });
  /** Of pods and nodes, whose command lines do not tell whose they are. */
  const nothingLeft = async (): Promise<void> => {
    const left = (): number[] => processes().filter((pid) => !before.has(pid));
    for (let look = 0; left().length > 0 && look < 100; look++) await pause(50);
    expect(left(), 'processes that are left').to.deep.equal([]);
  };

  it('runs two labs side by side, each with an API that is reached from outside', async () => {
    await using one = new LabProgram(SMALL);
    await using other = new LabProgram([...SMALL.slice(0, -1), '2', '--ipv4-only']);
    await Promise.all([one.ready(), other.ready()]);
    const addresses = (await nodesOf(one))[0]!.status.addresses;
    expect(addresses.map(({ type, address }) => `${type} ${address}`)).to.deep.equal([
      'InternalIP 172.30.0.11',
      'InternalIP fd30::11',
      'Hostname node-1',
    ]);
    expect((await nodesOf(other)).map(({ metadata }) => metadata.name)).to.deep.equal(['node-1', 'node-2']);
    const ended = await one.end(() => one.child.kill('SIGTERM'));
    expect(ended).to.deep.include({ code: 0, files: [] });
    expect(ended.tookMs).to.be.below(STOPS_WITHIN_MS);
    expect(await nodesOf(other), 'the other goes on').to.have.length(2);
    expect(await other.end(() => other.child.kill('SIGTERM'))).to.deep.include({ code: 0, files: [] });
    await nothingLeft();
  });

  for (const [what, ask] of [
    ['Ctrl-C', ({ child }: LabProgram) => process.kill(-child.pid!, 'SIGINT')],
    ['SIGTERM', ({ child }: LabProgram) => child.kill('SIGTERM')],
    ['kill -9 of its outer half', ({ child }: LabProgram) => child.kill('SIGKILL')],
    ['kill -9 of its inner half', (lab: LabProgram) => process.kill(lab.inner(), 'SIGKILL')],
  ] as const)
    it(`leaves nothing after ${what} while it starts`, async () => {
      await using lab = new LabProgram(SMALL);
      await lab.until(({ phase }) => phase === 'dns');
      const { files, tookMs } = await lab.end(() => ask(lab));
      expect(files).to.deep.equal([]);
      expect(tookMs).to.be.below(STOPS_WITHIN_MS);
      await nothingLeft();
    });

  for (const [what, ask] of [
    ['outer', ({ child }: LabProgram) => child.kill('SIGKILL')],
    ['inner', (lab: LabProgram) => process.kill(lab.inner(), 'SIGKILL')],
  ] as const)
    it(`leaves nothing after kill -9 of its ${what} half when it runs`, async () => {
      await using lab = new LabProgram(SMALL);
      await lab.ready();
      const { files } = await lab.end(() => ask(lab));
      expect(files).to.deep.equal([]);
      await nothingLeft();
    });

  /*
   * Whoever is root in a user namespace of one user has nobody else to become; there all other tests run for such a user.
   * Nor can a checkout in somebody's closed home be run by another.
   */
  if (process.getuid!() === 0 && hasNobody() && nobodyReaches(import.meta.filename))
    it('runs for a user who is not root', async () => {
      const directory = LabProgram.directory();
      chmodSync(directory, 0o777);
      letPass(dirname(directory));
      await using lab = new LabProgram(SMALL, asNobody, directory);
      await lab.ready();
      // Its kubeconfig is for that user alone.
      expect(await nodesOf(lab)).to.have.length(1);
      expect(await lab.end(() => lab.child.kill('SIGTERM'))).to.deep.include({ code: 0, files: [] });
      await nothingLeft();
    });

  it('says why it cannot start', async () => {
    const directory = LabProgram.directory();
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'a file');
    const lab = new LabProgram(SMALL, [], directory);
    await new Promise((resolve) => lab.child.once('close', resolve));
    rmSync(directory);
    expect(lab.child.exitCode).to.equal(1);
    expect(lab.errors).to.contain(directory);
    expect(lab.errors.trim().split('\n')).to.have.length(1);
  });
});

function nobodyReaches(file: string): boolean {
  const [program, ...words] = [...asNobody, 'test', '-r', file];
  return spawnSync(program, words).status === 0;
}

/** Lets others through a directory of temporary files that is the owner's alone, such as that of one run of the tests. */
function letPass(directory: string): void {
  const { mode } = statSync(directory);
  if ((mode & 0o001) === 0) chmodSync(directory, (mode & 0o777) | 0o011);
}

function hasNobody(): boolean {
  const [, , count] = readFileSync('/proc/self/uid_map', 'latin1').trim().split(/\s+/);
  return Number(count) > 65_534;
}
