import { expect } from 'chai';
import { UsageError } from '../arguments.ts';
import { parseControlPlaneOptions } from './options.ts';

describe('options of the benchmark of the control plane', () => {
  it('default to three sizes and three starts of each', () => {
    const { pods, effort } = parseControlPlaneOptions([]);
    expect(pods).deep.equal([1000, 10_000, 50_000]);
    expect(effort).include({ rounds: 3, sustainedSeconds: 60 });
    expect(parseControlPlaneOptions(['--quick']).effort.rounds).equal(1);
  });

  it('name sizes and rounds', () => {
    const { pods, effort } = parseControlPlaneOptions(['--quick', '--pods', '500,20000', '--rounds', '5']);
    expect(pods).deep.equal([500, 20_000]);
    expect(effort).include({ rounds: 5, sustainedSeconds: 10 });
  });

  it('that cannot be meant are refused', () => {
    for (const argv of [['--pods', 'many'], ['--pods', '10,'], ['--rounds', '0'], ['--fast'], ['10000']])
      expect(() => parseControlPlaneOptions(argv), argv.join(' ')).to.throw(UsageError);
  });
});
