import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { expect } from 'chai';

import { ManualClock } from '@ambient/runtime';

import { CriLog } from './cri-log.ts';

describe('log of a container', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'cri-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Writes chunks as a program does, and gives what the log then holds. */
  async function written(chunks: readonly string[], rotateAt?: number): Promise<string[]> {
    const log = new CriLog(join(directory, 'c/0.log'), new ManualClock(), rotateAt);
    const stream = new PassThrough();
    log.follow(stream, 'stdout');
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
    await new Promise((resolve) => stream.once('close', resolve));
    log.close();
    return readFileSync(log.path, 'utf8').split('\n').slice(0, -1);
  }

  it('has a line for each line, however it arrives, with times that grow', async () => {
    const lines = await written(['one\ntw', 'o\n', '\nrest']);
    expect(lines.map((line) => line.replace(/^\S+ /, ''))).to.deep.equal([
      'stdout F one',
      'stdout F two',
      'stdout F ',
      'stdout F rest',
    ]);
    const times = lines.map((line) => line.split(' ')[0]!);
    for (const time of times) expect(time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect([...new Set(times)].sort()).to.deep.equal(times);
  });

  it('cuts a line without end into parts', async () => {
    const lines = await written(['x'.repeat(40_000), '\n']);
    expect(lines.map((line) => [line.split(' ')[2], line.length > 16_000])).to.deep.equal([
      ['P', true],
      ['P', true],
      ['F', false],
    ]);
  });

  it('stays bounded under a flood, with one older file', async () => {
    const flood = Array.from({ length: 50 }, (_, index) => `line ${index}\n`);
    const lines = await written(flood, 300);
    expect(lines.at(-1)).to.match(/line 49$/);
    expect(readFileSync(join(directory, 'c/0.log')).length).to.be.at.most(300);
    expect(readFileSync(join(directory, 'c/0.log.1')).length).to.be.at.most(300);
  });
});
