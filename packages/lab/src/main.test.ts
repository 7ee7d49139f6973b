import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

import { parseLabCommandLine } from './command-line.ts';

describe('the program lab-api', function () {
  this.timeout(30_000);
  let folder: string;
  let child: ChildProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lab-api-'));
  });
  afterEach(() => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  async function start(): Promise<CoreV1Api> {
    const file = join(folder, 'kubeconfig');
    const words = ['--port', '0', '--data', join(folder, 'data'), '--kubeconfig', file];
    child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout!, 'data');
    const config = new KubeConfig();
    config.loadFromString(readFileSync(file, 'utf8'));
    return config.makeApiClient(CoreV1Api);
  }

  it('has after kill -9 whatever it had answered for', async () => {
    const count = 200;
    let api = await start();
    const bodies = Array.from({ length: count }, (_, index) => ({ metadata: { name: `m${index}` } }));
    await Promise.all(bodies.map((body) => api.createNamespacedConfigMap({ namespace: 'default', body })));
    await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'm0' });
    const before = await api.listNamespacedConfigMap({ namespace: 'default' });
    const ended = once(child!, 'exit');
    child!.kill('SIGKILL');
    await ended;

    api = await start();
    const after = await api.listNamespacedConfigMap({ namespace: 'default' });
    const named = (list: typeof after) =>
      list.items.map(({ metadata }) => `${metadata?.name} ${metadata?.uid} ${metadata?.resourceVersion}`);
    expect(named(after)).to.have.length(count - 1);
    expect(named(after)).to.deep.equal(named(before));
    const next = await api.createNamespacedConfigMap({
      namespace: 'default',
      body: { metadata: { name: 'm0' } },
    });
    expect(Number(next.metadata?.resourceVersion)).to.be.greaterThan(
      Number(before.metadata?.resourceVersion),
    );
  });

  it('explains itself, and refuses by name what it does not know', () => {
    expect(parseLabCommandLine(['--help'])).to.have.property('kind', 'help');
    expect(parseLabCommandLine(['--port', '70000']))
      .to.have.property('problem')
      .that.contains('--port 70000');
    expect(parseLabCommandLine(['--nope']))
      .to.have.property('problem')
      .that.contains('--nope');
    expect(parseLabCommandLine([])).to.have.nested.property('options.host', '127.0.0.1');
  });
});
