import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openLogOutput } from './log-output.ts';

describe('openLogOutput', () => {
  it('has written every line when it is disposed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'log-output-'));
    try {
      const path = join(dir, 'log');
      const fd = openSync(path, 'w');
      const output = await openLogOutput('plain', fd);
      for (let i = 0; i < 100; i += 1) output.writeFormatted(`line ${i}\n`);
      output.flush();
      expect(readFileSync(path, 'utf8').trimEnd().split('\n')).length(100);
      closeSync(fd);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
