import { ValueError } from '@ambient/runtime';
import { expect } from 'chai';
import { ztunnelDuration } from './ztunnel-duration.ts';

describe('durations of a ztunnel configuration', () => {
  const table: readonly (readonly [text: string, ms: number])[] = [
    ['90', 90_000],
    ['0', 0],
    ['250ms', 250],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['5min', 300_000],
    ['5 Minute', 300_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['2 WEEK', 1_209_600_000],
    ['1mon', 2_592_000_000],
    ['1y', 31_536_000_000],
    ['1hr 10sec', 3_610_000],
    ['3m+31', 211_000],
    ['3m + 31s', 211_000],
    ['1m*10', 600_000],
    ['1m * 10', 600_000],
    ['10us', 0.01],
  ];
  for (const [text, ms] of table)
    it(`${JSON.stringify(text)} is ${ms} ms`, () => {
      expect(ztunnelDuration().parse(text)).equal(ms);
    });

  for (const bad of [
    '',
    'a day',
    '1M',
    '1 fortnight',
    '1m+',
    '+',
    '*',
    '1m*',
    '1m-1s',
    '-5s',
    '200y',
    '1m+2*3',
  ])
    it(`${JSON.stringify(bad)} is none`, () => {
      expect(() => ztunnelDuration().parse(bad)).throw(ValueError);
    });

  it('keep to their bounds in every form', () => {
    const atLeast = ztunnelDuration({ minMs: 60_000 });
    for (const short of ['59', '59s', '10s+10s', '10sec', '6*6'])
      expect(() => atLeast.parse(short), short).throw('1m');
    expect(atLeast.parse('1 min')).equal(60_000);
  });
});
