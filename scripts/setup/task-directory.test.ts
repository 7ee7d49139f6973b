import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';

import { makeTaskDirectory, TaskDirectoryError } from './task-directory.ts';

/** Larger than any pid (proc_sys_kernel(5): pid_max is 2^22 at most). */
const noProcess = 2 ** 22 + 1;

describe('the directory of a task', () => {
  let parent: string;

  beforeEach(() => (parent = mkdtempSync(join(tmpdir(), 'task-directory-'))));
  afterEach(() => {
    rmSync(parent, { recursive: true });
  });

  it('goes with everything that is left in it', () => {
    {
      using directory = makeTaskDirectory('test', parent);
      mkdirSync(join(directory.path, 'volume'));
      writeFileSync(join(directory.path, 'volume', 'token'), 'x');
    }
    expect(readdirSync(parent)).to.deep.equal([]);
  });

  it('takes the place of those whose task was killed, and of no other', () => {
    const killed = `ambient-test-${noProcess}-aB3dEf`;
    const others = [
      `ambient-test-${process.ppid}-aB3dEf`,
      `ambient-tour-${noProcess}-aB3dEf`,
      `ambient-test-${noProcess}`,
    ];
    for (const name of [killed, ...others]) mkdirSync(join(parent, name, 'below'), { recursive: true });
    using directory = makeTaskDirectory('test', parent);
    expect(readdirSync(parent)).to.have.members([...others, basename(directory.path)]);
  });

  it('that cannot be made says where, and what to do', () => {
    const absent = join(parent, 'absent');
    expect(() => makeTaskDirectory('test', absent)).to.throw(TaskDirectoryError, /absent.*TMPDIR=/);
    expect(existsSync(absent)).to.equal(false);
  });

  it('is not made where the disk is too full for a task', () => {
    expect(() => makeTaskDirectory('test', parent, 1e18)).to.throw(TaskDirectoryError, / MB are needed/);
    expect(readdirSync(parent)).to.deep.equal([]);
  });
});
