import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { run, settingsPage, settingsPagePath } from './print-docs.ts';

describe('docs/settings.md', () => {
  it('is what the schema says', () => {
    expect(readFileSync(settingsPagePath, 'utf8'), 'run `npm run docs:settings`').equal(settingsPage());
  });

  it('is written, and then found to be fresh', () => {
    const dir = mkdtempSync(join(tmpdir(), 'settings-page-'));
    try {
      const path = join(dir, 'settings.md');
      const said: string[] = [];
      const say = (text: string) => said.push(text);
      expect(run(['--check'], path, say)).equal(1);
      expect(said.join('')).contain('npm run docs:settings');
      expect(run([], path, say)).equal(0);
      expect(run(['--check'], path, say)).equal(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
