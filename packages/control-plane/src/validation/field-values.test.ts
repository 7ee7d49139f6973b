import { expect } from 'chai';
import { parseDuration, parseIpBlock } from './field-values.ts';

describe('values of fields', () => {
  it('durations', () => {
    const cases: [string, number | undefined][] = [
      ['1h30m', 5_400_000],
      ['1.5s', 1500],
      ['100ms', 100],
      ['0s', 0],
      ['0', 0],
      ['-1s', -1000],
      ['1', undefined],
      ['s', undefined],
      ['1 s', undefined],
      ['', undefined],
    ];
    for (const [text, ms] of cases) expect(parseDuration(text), text).to.equal(ms);
  });

  it('IP blocks', () => {
    expect(parseIpBlock('10.0.0.7/8')).to.deep.equal({ ip: '10.0.0.7', length: 8 });
    expect(parseIpBlock('::ffff:10.0.0.0/104')).to.deep.equal({ ip: '::ffff:10.0.0.0', length: 8 });
    for (const text of [
      '',
      '/',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      '::ffff:10.0.0.0/8',
      'fe80::1%eth0',
      '010.0.0.1',
    ])
      expect(parseIpBlock(text), text).to.equal(undefined);
  });
});
