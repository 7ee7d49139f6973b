import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { assertNoLeak, statFields, takeLeakSnapshot } from '@ambient/testkit/lab';

const tour = fileURLToPath(new URL('../../scripts/tour.ts', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Runs the tour without a terminal, and proves that it leaves nothing. `onOutput` sees what has come so far, and the
 * process.
 */
async function runTour(
  env: Readonly<Record<string, string>>,
  onOutput: (output: string, tour: ChildProcess) => void = () => undefined,
): Promise<Outcome> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', tour], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const runId = runIdOf(child.pid!);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      onOutput(output, child);
    });
  const [code] = (await once(child, 'close')) as [number | null];
  expect(existsSync(`/run/ambient-lab-${runId}`), 'directory of the lab').to.equal(false);
  // What was killed may take a moment to be gone.
  await assertNoLeak(takeLeakSnapshot({}), { runId });
  return { code, output };
}

/** The lab that a process makes first; its fields are read off the process while it lives. */
function runIdOf(pid: number): string {
  const [pidNamespace = ''] = /\d+/.exec(readlinkSync('/proc/self/ns/pid')) ?? [];
  return `${pidNamespace}-${pid}-${statFields(pid)![19]!}-1`;
}

describe('the tour without a terminal', () => {
  it('shows everything that it promises, and ends with 0', async () => {
    const { code, output } = await runTour({});
    expect(code, output).to.equal(0);
    expect(output).to.contain('Everything that was shown held.');
    for (const claim of [
      'every proxy knows by discovery',
      'the coupon MARZIPAN-2741 is readable in the request and in the answer',
      'client and server are who they should be, each proven by its certificate',
      'after the two hello messages, every byte is inside an encrypted TLS record',
      'TLS 1.3, cipher TLS_AES_',
      'the open connection in plain text was cut',
      'what comes by mutual TLS goes on: shop/checkout gets 200',
      'back in the mesh, guest/intruder is answered again',
      'guest/intruder is not: its connection ends',
      'the open connection was cut',
      'a client that kept trying was let in',
      'all are signed by one authority',
      'its root is the one that the control plane put into the ConfigMap',
    ])
      expect(output).to.contain(`✓ ${claim}`);
    expect(output).to.match(/the coupon MARZIPAN-2741 occurs nowhere in the \d+ recorded bytes/);
    expect(output).to.contain('src.identity=spiffe://cluster.local/ns/guest/sa/intruder');
    expect(output).to.contain('reason=policy-denied').and.to.contain('reason=policy-changed');
    expect(output).to.match(/shop +catalog +(1\/1 +)?Running/, 'the pods as the API tells them');
    expect(output).to.match(/kubectl apply -f strict\.yaml|PATCH \S+\/peerauthentications\/strict/);
    expect(output).to.match(/export KUBECONFIG=\S+\/kubeconfig/);
    expect(output.includes('\x1b'), 'colours in a pipe').to.equal(false);
  });

  it('says what did not hold, and ends with 1 and nothing left', async () => {
    const { code, output } = await runTour({ AMBIENT_TEST_ZTUNNEL: 'sh -c "echo out of order; exit 3"' });
    expect(code, output).to.equal(1);
    expect(output).to.contain('✗ A cluster of three pods').and.to.contain('out of order');
  });

  it('leaves nothing when it is ended on its way', async () => {
    let asked = false;
    const { code, output } = await runTour({}, (sofar, child) => {
      if (asked || !sofar.includes('three ready proxies')) return;
      asked = true;
      child.kill('SIGTERM');
    });
    expect(code, output).to.equal(128 + 15);
    expect(output).not.to.contain('In short');
  });
});
