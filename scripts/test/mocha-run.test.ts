import { expect } from 'chai';
import { countResults } from './mocha-run.ts';
import type { TestRecord } from './reporter.ts';

const pass: TestRecord = { kind: 'pass', title: 'a' };
const fail: TestRecord = { kind: 'fail', title: 'b', message: 'expected' };
const end: TestRecord = { kind: 'end' };

describe('count of a test run', () => {
  it('is what the records say when the run came to its end', () => {
    const result = countResults('unit', [pass, fail, pass, end], 'exit code 1');
    expect(result).to.deep.equal({ name: 'unit', passed: 2, failures: ['b'] });
  });

  it('keeps the results of a run that broke off, and counts the break as a failure', () => {
    const result = countResults('unit', [pass, fail], 'killed by SIGSEGV');
    expect(result.passed).to.equal(1);
    expect(result.failures).to.deep.equal(['b', 'unit: the run broke off (killed by SIGSEGV)']);
  });

  it('counts an exit before the end as a failure even with exit code 0', () => {
    expect(countResults('unit', [pass], undefined).failures).to.have.length(1);
  });

  it('counts an exit code that no failed test explains', () => {
    expect(countResults('unit', [pass, end], 'exit code 7').failures[0]).to.contain('exit code 7');
  });

  it('counts a run without tests as a failure', () => {
    expect(countResults('unit', [end], undefined).failures).to.deep.equal(['unit: no test was found']);
  });
});
