import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const tour = fileURLToPath(new URL('../../scripts/tour.ts', import.meta.url));
const isolate = fileURLToPath(new URL('../../scripts/setup/isolate.ts', import.meta.url));
const GONE_WITHIN_MS = 5000;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Every process there is, but for those that have ended and nobody has asked how. */
function processes(): Set<string> {
  return new Set(readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !isOver(name)));
}

function isOver(pid: string): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** What was killed may take a moment to be gone. */
async function nothingLeft(before: ReadonlySet<string>): Promise<void> {
  const deadlineMs = performance.now() + GONE_WITHIN_MS;
  const left = (): string[] => [...processes()].filter((pid) => !before.has(pid));
  while (left().length > 0 && performance.now() < deadlineMs) await pause(50);
  expect(left(), 'processes that are left').to.deep.equal([]);
}

/** Runs the tour without a terminal, and proves that it leaves nothing. `onOutput` sees what has come so far. */
async function runTour(
  options: { readonly env?: Readonly<Record<string, string>> } = {},
  onOutput: (output: string, tour: ChildProcess) => void = () => undefined,
): Promise<Outcome> {
  const above = mkdtempSync(join(tmpdir(), 'ambient-tour-test-'));
  const directory = join(above, 'lab');
  const before = processes();
  const args = ['--directory', directory, '--public-url', 'https://127.0.0.1:1'];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', tour, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      onOutput(output, child);
    });
  const [code] = (await once(child, 'close')) as [number | null];
  await nothingLeft(before);
  expect(existsSync(directory), 'its directory').to.equal(false);
  rmSync(above, { recursive: true });
  return { code, output };
}

describe('the tour without a terminal', function () {
  this.timeout(180_000);

  it('shows everything that it promises, and ends with 0', async () => {
    const { code, output } = await runTour();
    expect(code, output).to.equal(0);
    expect(output).to.contain('Everything that was shown held.');
    for (const claim of [
      'both node proxies know by discovery',
      'the coupon MARZIPAN-2741 is readable in the request and in the answer',
      'the agents had captured its running pods',
      'client and server are who they should be, each proven by its certificate',
      'after the two hello messages, every byte is inside an encrypted TLS record',
      'TLS 1.3, cipher TLS_AES_',
      'it was answered at once',
      'the pods were released',
      'captured again',
      'the open connection in plain text was cut',
      'what comes by mutual TLS goes on: shop/checkout gets 200',
      'in the mesh, guest/intruder is answered, by its certificate: 200',
      "the kubelet's probes of shop/catalog, in plain text every second, go on: 0 have",
      'guest/intruder is not: its connection ends',
      'the open connection was cut',
      'a client that kept trying was let in',
      'all are signed by one authority',
      'its root is the one that the control plane put into the ConfigMap',
      'nodes, pods and everything that they have started are gone',
    ])
      expect(output).to.contain(`✓ ${claim}`);
    expect(output).to.match(/the coupon MARZIPAN-2741 occurs nowhere in the \d+ recorded bytes/);
    expect(output).to.contain('src.identity=spiffe://cluster.local/ns/guest/sa/intruder');
    expect(output).to.contain('reason=policy-denied').and.to.contain('reason=policy-changed');
    expect(output).to.match(/shop +catalog-\S+ .*Running/, 'the pods as the API tells them');
    expect(output).to.match(/export KUBECONFIG=\S+\/kubeconfig/);
    expect(output.includes('\x1b'), 'colours in a pipe').to.equal(false);
  });

  it('does without kubectl, says so, and leaves nothing when it is ended on its way', async () => {
    let asked = false;
    const path = withoutKubectl();
    try {
      const { code, output } = await runTour({ env: { PATH: path } }, (sofar, child) => {
        if (asked || !sofar.includes('✓ it was answered at once')) return;
        asked = true;
        child.kill('SIGTERM');
      });
      expect(code, output).to.equal(128 + 15);
      expect(output).to.contain('GET /api/v1/pods (no kubectl on PATH)');
      expect(output).to.contain('label istio.io/dataplane-mode=ambient (no kubectl on PATH)');
      expect(output).to.match(/GET \S+\/pods\/ztunnel-\w+\/log \(no kubectl on PATH\)/);
      expect(output).not.to.match(/^ +✗/m).and.not.to.contain('In short');
    } finally {
      rmSync(path.split(delimiter)[0]!, { recursive: true });
    }
  });

  for (const half of ['outer', 'inner'] as const)
    it(`leaves nothing after kill -9 of its ${half} half`, async () => {
      const before = processes();
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', isolate, 'tour'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const ended = once(child, 'close');
      await once(child.stdout, 'data');
      const inner = (): string | undefined =>
        [...processes()].find(
          (pid) => commandOf(pid).startsWith(`${process.execPath} `) && commandOf(pid).includes(tour),
        );
      // In the middle of the start: nodes are there, and pods come.
      await pause(2500);
      process.kill(half === 'outer' ? child.pid! : Number(inner()), 'SIGKILL');
      await ended;
      await nothingLeft(before);
      const files = readdirSync(tmpdir()).filter((name) => name.startsWith(`ambient-tour-${child.pid}-`));
      expect(files).to.deep.equal([]);
    });

  it('says what did not hold, and ends with 1', async () => {
    const { code, output } = await runTour({ env: { PATH: '/nonexistent' } });
    expect(code, output).to.equal(1);
    expect(output).to.contain('✗ A cluster of two nodes');
  });
});

/** A PATH with links to everything in the present one but kubectl; the folder is the only one in it. */
function withoutKubectl(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ambient-tour-path-'));
  mkdirSync(folder, { recursive: true });
  for (const from of (process.env['PATH'] ?? '').split(delimiter).filter((each) => existsSync(each)))
    for (const name of readdirSync(from))
      if (name !== 'kubectl' && !existsSync(join(folder, name)))
        symlinkSync(join(from, name), join(folder, name));
  return folder;
}
