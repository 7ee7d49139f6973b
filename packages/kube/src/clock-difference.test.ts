import { expect } from 'chai';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';

import { ClockDifference } from './clock-difference.ts';

describe('ClockDifference', () => {
  const clock = new ManualClock();
  const at = (ms: number): string => new Date(clock.nowMs() + ms).toUTCString();

  it('is told once, and once when it is over', () => {
    const lines: { level: string; ahead: unknown }[] = [];
    const log = new Logger(
      new LogLevels('info'),
      {
        write: (level, _scope, _message, fields) => void lines.push({ level, ahead: fields?.['ahead'] }),
      },
      'kube',
    );
    const difference = new ClockDifference(clock, log);
    for (const date of [at(0), at(59_000), undefined, 'tomorrow', at(-120_000), at(-121_000)])
      difference.observe(date);
    expect(lines).lengthOf(1);
    expect(lines[0]!.level).equal('error');
    expect(lines[0]!.ahead).match(/^12[01]s$/);
    difference.observe(at(0));
    difference.observe(at(3_600_000));
    expect(lines.slice(1).map(({ level }) => level)).deep.equal(['info', 'error']);
    expect(lines[2]!.ahead).match(/^-(3600|3599)s$/);
  });
});
