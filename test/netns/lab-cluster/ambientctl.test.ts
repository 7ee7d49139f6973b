import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KubeClient, KubeConnection } from '@ambient/kube';

const ambientctl = fileURLToPath(new URL('../../../packages/cli/bin/ambientctl', import.meta.url));
const NAME = 'test';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('ambientctl lab, with a lab', function () {
  this.timeout(180_000);
  let runtime: string;
  let up: Ran;
  let pods: KubePod[];

  interface KubePod {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
    readonly spec: { readonly nodeName: string };
  }

  const lab = (...words: readonly string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { ...process.env, XDG_RUNTIME_DIR: runtime };
      execFile(ambientctl, ['lab', ...words], { env, timeout: 150_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
      );
    });

  before(async () => {
    runtime = mkdtempSync(join(tmpdir(), 'ambientctl-test-'));
    up = await lab('up', '--name', NAME);
    expect(up.code, up.err).to.equal(0);
    using connection = KubeConnection.fromFile(/^export KUBECONFIG=(.+)$/m.exec(up.out)![1]!);
    const path = '/api/v1/namespaces/shop/pods';
    ({ items: pods } = await new KubeClient(connection).request<{ items: KubePod[] }>({ path }));
  });

  after(async () => {
    await lab('down', '--name', NAME);
    rmSync(runtime, { recursive: true });
  });

  it('up shows how far it is, and how long it took', () => {
    expect(up.err)
      .to.match(/^joining 2 nodes$/m)
      .and.to.match(/^waiting for .*ztunnel$/m)
      .and.to.match(/^lab test is ready after /m);
  });

  it('status tells that it runs', async () => {
    expect((await lab('status')).out).to.match(/^test +running +2 .*\/kubeconfig$/m);
  });

  it('has the replicas of the sample on both nodes', () => {
    const nodes = pods
      .filter(({ metadata }) => metadata.labels['app'] === 'catalog')
      .map(({ spec }) => spec.nodeName);
    expect(nodes.toSorted()).to.deep.equal(['node-1', 'node-2']);
  });

  it('exec runs a program in a pod, and passes on how it ended', async () => {
    const { name } = pods.find(({ metadata }) => metadata.labels['app'] === 'checkout')!.metadata;
    const said = await lab('exec', '--name', NAME, `${name}.shop`, '--', 'hostname');
    expect(said).to.deep.include({ code: 0, out: `${name}\n` });
    expect(await lab('exec', '--name', NAME, `${name}.shop`, '--', 'sh', '-c', 'exit 7')).to.include({
      code: 7,
    });
  });

  it('logs prints what a pod said', async () => {
    const { name } = pods.find(({ metadata }) => metadata.labels['app'] === 'catalog')!.metadata;
    expect((await lab('logs', '--name', NAME, `${name}.shop`, '--container', 'prices')).out).to.match(
      /ready/,
    );
  });

  it('down leaves nothing', async () => {
    expect(await lab('down', '--name', NAME)).to.deep.include({ code: 0, err: 'lab test is gone\n' });
    expect(readdirSync(join(runtime, 'ambient-labs'))).to.deep.equal([]);
  });
});
