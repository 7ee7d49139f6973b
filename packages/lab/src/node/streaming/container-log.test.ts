import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ManualClock, realClock } from '@ambient/runtime';
import { expect } from 'chai';

import { readLog } from './container-log.ts';
import { parseLogOptions } from './log-options.ts';

const nowMs = Date.parse('2026-01-01T00:01:00Z');

describe('a container log', () => {
  let directory: string;
  let path: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'container-log-'));
    path = join(directory, '0.log');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const write = (...lines: string[]): void => writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  const read = async (query: string): Promise<string> => {
    const options = parseLogOptions(new URLSearchParams(query), nowMs);
    const never = new AbortController().signal;
    let text = '';
    for await (const { bytes } of readLog(path, options, realClock, () => false, never))
      text += bytes.toString();
    return text;
  };

  it('joins parts of a line and tells the streams apart', async () => {
    write(
      '2026-01-01T00:00:00Z stdout P one ',
      '2026-01-01T00:00:00Z stdout F line',
      '2026-01-01T00:00:01Z stderr F bad',
    );
    expect(await read('')).to.equal('one line\nbad\n');
    expect(await read('stream=Stderr')).to.equal('bad\n');
    expect(await read('sinceSeconds=59&timestamps=true')).to.equal('2026-01-01T00:00:01Z bad\n');
  });

  it('finds the last lines of a file of many blocks', async () => {
    const text = 'x'.repeat(1000);
    write(...Array.from({ length: 500 }, (_, i) => `2026-01-01T00:00:00Z stdout F ${i} ${text}`));
    const last = await read('tailLines=100');
    expect(last.split('\n')).to.have.length(101);
    expect(last.startsWith('400 x')).to.equal(true);
    expect(await read('tailLines=0')).to.equal('');
    expect((await read('tailLines=900')).startsWith('0 x')).to.equal(true);
  });

  it('leaves out what is no line of a log', async () => {
    write('nonsense', '2026-01-01T00:00:00Z stdout F good', '', '2026-01-01T00:00:00Z nowhere F bad');
    expect(await read('')).to.equal('good\n');
  });

  it('is empty while there is no file', async () => {
    expect(await read('tailLines=3')).to.equal('');
  });

  it('goes on in the new file after a rotation', async () => {
    write('2026-01-01T00:00:00Z stdout F old');
    const clock = new ManualClock();
    const gone = new AbortController();
    const log = readLog(
      path,
      parseLogOptions(new URLSearchParams('follow=1'), nowMs),
      clock,
      () => true,
      gone.signal,
    );
    const next = async (): Promise<string> => {
      const { value } = await log.next();
      return value === undefined ? 'the end' : value.bytes.toString();
    };
    expect(await next()).to.equal('old\n');
    appendFileSync(path, '2026-01-01T00:00:01Z stdout F last\n');
    expect(await next()).to.equal('last\n');
    renameSync(path, `${path}.1`);
    write('2026-01-01T00:00:02Z stdout F new');
    expect(await next()).to.equal('new\n');
    const end = next();
    gone.abort();
    expect(await end).to.equal('the end');
  });

  for (const [query, text] of [
    ['tailLines=-1', 'tailLines: Invalid value: "-1"'],
    ['limitBytes=0', 'limitBytes: Invalid value: "0"'],
    ['follow=maybe', 'follow: Invalid value: "maybe"'],
    ['sinceTime=yesterday', 'sinceTime: Invalid value: "yesterday"'],
    ['sinceTime=2026-01-01T00:00:00Z&sinceSeconds=1', 'at most one of'],
    ['stream=stdin', 'stream: Unsupported value: "stdin"'],
  ] as const)
    it(`refuses ${query} by name`, () => {
      expect(() => parseLogOptions(new URLSearchParams(query), nowMs)).to.throw(text);
    });
});
