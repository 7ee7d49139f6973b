import { expect } from 'chai';
import { countResults, filesToRunAgain, mergeAttempts } from './mocha-run.ts';
import type { RunExit } from './mocha-run.ts';
import type { TestRecord } from './reporter.ts';

const pass: TestRecord = { kind: 'pass', title: 'a', file: 'a.test.ts' };
const fail: TestRecord = { kind: 'fail', title: 'b', file: 'b.test.ts', message: 'expected' };
const end: TestRecord = { kind: 'end' };

const exited = (code: number): RunExit => ({ kind: 'exited', code });

describe('count of a test run', () => {
  it('is what the records say when the run came to its end', () => {
    const result = countResults('unit', [pass, fail, pass, end], exited(1));
    expect(result).to.deep.equal({ name: 'unit', passed: 2, failures: ['b'] });
  });

  it('keeps the results of a run that was killed, and counts the kill as a failure', () => {
    const result = countResults('unit', [pass, fail], { kind: 'broken', reason: 'killed by SIGSEGV' });
    expect(result.passed).to.equal(1);
    expect(result.failures).to.deep.equal(['b', 'unit: killed by SIGSEGV']);
  });

  it('counts a run that had to be killed after its end', () => {
    const result = countResults('unit', [pass, end], { kind: 'broken', reason: 'the process did not exit' });
    expect(result.failures).to.deep.equal(['unit: the process did not exit']);
  });

  it('counts an exit before the end as a failure even with exit code 0', () => {
    expect(countResults('unit', [pass], exited(0)).failures).to.have.length(1);
  });

  it('counts an exit code that no failed test explains', () => {
    expect(countResults('unit', [pass, end], exited(7)).failures[0]).to.contain('7');
  });

  it('counts a run without tests as a failure', () => {
    expect(countResults('unit', [end], exited(0)).failures).to.deep.equal(['unit: no test was found']);
  });
});

describe('second attempt of a test run', () => {
  const failIn = (file: string): TestRecord => ({ ...fail, title: `fails in ${file}`, file });

  it('is for the files of what failed, once each', () => {
    expect(filesToRunAgain([pass, fail, fail, failIn('c.test.ts'), end])).to.deep.equal([
      'b.test.ts',
      'c.test.ts',
    ]);
  });

  it('is not for a run in which much failed, that broke off, or with a failure of nowhere', () => {
    const many = ['1', '2', '3', '4'].map(failIn);
    expect(filesToRunAgain([...many, end])).to.deep.equal([]);
    expect(filesToRunAgain([fail])).to.deep.equal([]);
    expect(filesToRunAgain([fail, failIn(''), end])).to.deep.equal([]);
  });

  it('counts for those files, and names what passes only now', () => {
    const first = [pass, { ...pass, file: 'b.test.ts' }, fail, failIn('b.test.ts'), end];
    const second = { name: 'netns', passed: 2, failures: ['b'] };
    expect(mergeAttempts('netns', first, ['b.test.ts'], second)).to.deep.equal({
      name: 'netns',
      passed: 3,
      failures: ['b'],
      unsteady: ['fails in b.test.ts'],
    });
  });
});
