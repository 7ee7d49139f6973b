import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { run } from './testing/context.ts';

describe('ambientctl', () => {
  it('has the options for a cluster in the help of each command that looks into one', async () => {
    for (const words of [['check'], ['tap'], ['zc', 'workloads']]) {
      const { code, out } = await run([...words, '--help']);
      expect(code).to.equal(0);
      expect(out, words.join(' ')).to.contain('--kubeconfig').and.to.contain('--istio-namespace');
    }
    expect((await run(['lab', 'up', '--help'])).out)
      .to.contain('--nodes')
      .and.not.to.contain('--kubeconfig');
  });

  for (const [words, hint] of [
    [['labb', 'up'], 'Did you mean lab?'],
    [['lab', 'up', '--node', '3'], 'Did you mean --nodes?'],
    [['zc', 'workloads', '--adress', '10.0.0.1'], 'Did you mean --address?'],
  ] as const)
    it(`says what was meant by ${words.join(' ')}`, async () => {
      const { code, err } = await run([...words]);
      expect(code).to.equal(2);
      expect(err).to.contain(hint).and.to.contain('--help');
    });

  it('says what to run where the packages are not installed', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'ambientctl-bin-')));
    const bin = join(root, 'packages/cli/bin');
    mkdirSync(bin, { recursive: true });
    copyFileSync(join(import.meta.dirname, '../bin/ambientctl'), join(bin, 'ambientctl'));
    const [code, err] = await new Promise<[unknown, string]>((resolve) =>
      execFile('sh', [join(bin, 'ambientctl'), 'check'], (error, _, text) => resolve([error?.code, text])),
    );
    rmSync(root, { recursive: true });
    expect(code).to.equal(1);
    expect(err).to.contain(root).and.to.contain('npm start');
  });
});
