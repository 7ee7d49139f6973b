import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { formatRunId, isAbandoned, newRunId, parseRunId, statFields } from './run-id.ts';
import { sweepAbandonedLabs } from './sweep.ts';

describe('run id', () => {
  it('survives its text form', () => {
    const id = newRunId();
    expect(parseRunId(formatRunId(id))).to.deep.equal(id);
  });

  it('is not read from other text', () => {
    for (const text of ['', '1-2-3', '1-2-3-4-5', 'a-2-3-4', '1-2-3-4\n5'])
      expect(parseRunId(text)).to.equal(undefined);
  });

  it('tells a live owner from a reused PID and from a dead one', () => {
    const id = newRunId();
    expect(isAbandoned(id)).to.equal(false);
    expect(isAbandoned({ ...id, startTime: '1' })).to.equal(true);
    expect(isAbandoned({ ...id, pid: 0 })).to.equal(true);
  });

  it('does not judge an owner of another PID namespace', () => {
    expect(isAbandoned({ ...newRunId(), pidNamespace: '1', pid: 0 })).to.equal(false);
  });

  it('sweeps the directory of such an owner by its age only', () => {
    const parent = mkdtempSync(join(tmpdir(), 'sweep-'));
    const elsewhere = { ...newRunId(), pidNamespace: '1', pid: 0 };
    const [old, young] = [1, 2].map((serial) =>
      join(parent, `ambient-lab-${formatRunId({ ...elsewhere, serial })}`),
    );
    mkdirSync(old!);
    mkdirSync(young!);
    utimesSync(old!, 0, 0);
    expect(sweepAbandonedLabs(parent).removed).to.deep.equal([basename(old!)]);
    expect(readdirSync(parent)).to.deep.equal([basename(young!)]);
    rmSync(parent, { recursive: true });
  });

  it('reads the state of a process whatever its name', () => {
    expect(statFields(process.pid)?.[0]).to.match(/^[RSD]$/);
    expect(statFields(0)).to.equal(undefined);
  });
});
