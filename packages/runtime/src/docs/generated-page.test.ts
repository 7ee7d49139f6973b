import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { GeneratedPage } from './generated-page.ts';
import { markdownTable, writePage } from './generated-page.ts';

const page: GeneratedPage = { name: 'some.md', script: 'docs:some', render: () => '# Some\n' };

describe('a generated page', () => {
  it('is found stale while it is absent or differs, and is fresh once written', () => {
    const dir = mkdtempSync(join(tmpdir(), 'generated-page-'));
    try {
      const path = join(dir, 'some.md');
      const said: string[] = [];
      const say = (text: string) => said.push(text);
      expect(writePage(page, ['--check'], path, say)).equal(1);
      expect(said.join('')).equal('docs/some.md is stale: run `npm run docs:some`\n');
      expect(writePage(page, [], path, say)).equal(0);
      expect(readFileSync(path, 'utf8')).equal('# Some\n');
      expect(writePage(page, ['--check'], path, say)).equal(0);
      expect(writePage({ ...page, render: () => '# Other\n' }, ['--check'], path, say)).equal(1);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('has tables as wide as their cells, with bars escaped', () => {
    expect(markdownTable(['a', 'bb'], [['x|y', '1']])).equal(
      ['| a    | bb  |', '| ---- | --- |', '| x\\|y | 1   |'].join('\n'),
    );
  });
});
