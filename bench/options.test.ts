import { expect } from 'chai';
import { UsageError } from './arguments.ts';
import { parseOptions } from './options.ts';

describe('options of the benchmark', () => {
  it('default to three full rounds of everything', () => {
    expect(parseOptions([])).to.include({
      rounds: 3,
      seconds: 5,
      soakMinutes: 10,
      only: undefined,
      quick: false,
    });
    expect(parseOptions(['--quick'])).to.include({ rounds: 1, seconds: 2 });
  });

  it('name columns, peers among them', () => {
    const options = parseOptions(['--peer', 'istio=ztunnel --flag=1', '--columns', 'haproxy,istio']);
    expect(options.peers).to.deep.equal([{ name: 'istio', command: 'ztunnel --flag=1' }]);
    expect(options.columns).to.deep.equal(['haproxy', 'istio']);
  });

  it('leave the machine its congestion control, or name another', () => {
    expect(parseOptions([]).congestionControl).to.equal(undefined);
    expect(parseOptions(['--congestion-control', 'reno']).congestionControl).to.equal('reno');
  });

  it('that cannot be meant are refused', () => {
    for (const argv of [
      ['--only', 'speed'],
      ['--columns', 'istio'],
      ['--peer', 'ours=x'],
      ['--peer', 'x'],
      ['--rounds', '0'],
      ['--seconds', 'long'],
      ['--fast'],
      ['extra'],
    ])
      expect(() => parseOptions(argv), argv.join(' ')).to.throw(UsageError);
  });
});
