import { expect } from 'chai';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kubectlTests, toldOfKubectl, withoutKubectl } from './needs-kubectl.ts';

describe('tests that need kubectl', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ambient-kubectl-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are all of those that start it', () => {
    const root = join(import.meta.dirname, '../..');
    const files = globSync(['packages/*/src/**/*.test.ts', 'test/lab/**/*.test.ts'], { cwd: root });
    const starting = files.filter((file) =>
      /(?:run|spawn|execFile)\(\s*'kubectl'/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(starting).to.have.members([...kubectlTests]);
  });

  it('are run where it is on the PATH', () => {
    writeFileSync(join(folder, 'kubectl'), '');
    expect(withoutKubectl(`/nonexistent:${folder}`)).to.deep.equal([]);
    expect(toldOfKubectl(`/nonexistent:${folder}`)).to.equal(undefined);
  });

  it('are left out where it is not, and named', () => {
    expect(withoutKubectl(`/nonexistent::${folder}`)).to.deep.equal(
      kubectlTests.flatMap((file) => ['--ignore', file]),
    );
    for (const file of kubectlTests) expect(toldOfKubectl(folder)).to.contain(file);
  });
});
