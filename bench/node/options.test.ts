import { expect } from 'chai';
import { UsageError } from '../arguments.ts';
import { measureNames, parseNodeOptions } from './options.ts';

describe('options of the benchmark of a node', () => {
  it('takes every measure in full unless told otherwise', () => {
    const { only, effort, output } = parseNodeOptions([]);
    expect(only).to.deep.equal(measureNames);
    expect(effort).to.include({ runningPods: 100, manyPods: 500, upgrades: 5, rounds: 3 });
    expect(output).to.equal(undefined);
  });

  it('takes some measures, in short, with as many rounds as it is told', () => {
    const { only, effort } = parseNodeOptions([
      '--quick',
      '--only',
      'dns,upgrade',
      '--rounds',
      '7',
      '--pods',
      '50',
    ]);
    expect(only).to.deep.equal(['dns', 'upgrade']);
    expect(effort).to.include({ runningPods: 20, manyPods: 50, rounds: 7 });
  });

  it('names what cannot be meant', () => {
    for (const argv of [
      ['--only', 'speed'],
      ['--rounds', '0'],
      ['--pods', '-1'],
      ['--columns', 'ours'],
    ])
      expect(() => parseNodeOptions(argv), argv.join(' ')).to.throw(UsageError, argv[0]);
  });
});
