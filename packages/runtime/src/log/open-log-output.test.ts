import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
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

  it('drops what a standing reader does not take, says so when it goes on, and keeps every line whole', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'log-output-'));
    try {
      const path = join(dir, 'pipe');
      execFileSync('mkfifo', [path]);
      const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const fd = openSync(path, constants.O_WRONLY);
      const output = await openLogOutput('plain', fd);
      const batch = `${'x'.repeat(1023)}\n`.repeat(1024);
      for (let i = 0; i < 20; i += 1) output.writeFormatted(batch);
      let text = '';
      const chunk = Buffer.alloc(1024 * 1024);
      while (!text.includes('too slow')) {
        try {
          const { bytesRead } = await reader.read(chunk, 0, chunk.length);
          text = text.slice(-4096) + chunk.toString('latin1', 0, bytesRead);
        } catch (error) {
          // The pipe is empty for now: the writer needs its turn.
          expect((error as NodeJS.ErrnoException).code).equal('EAGAIN');
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      expect(text).match(/x\n[^x\n]+\twarn\tlog\tlog lines dropped[^\n]*batches=[1-9]\d*\n$/);
      output[Symbol.dispose]();
      await reader.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
