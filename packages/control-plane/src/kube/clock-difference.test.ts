import { expect } from 'chai';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';

import { ClockDifference } from './clock-difference.ts';

describe('ClockDifference', () => {
  const clock = new ManualClock();
  const at = (ms: number): string => new Date(clock.nowMs() + ms).toUTCString();

  it('is told once, and once when it is over', () => {
    const lines: string[] = [];
    const log = new Logger(
      new LogLevels('info'),
      {
        write: (level, _scope, message, fields) =>
          void lines.push(`${level} ${message} ${String(fields?.['ahead'])}`),
      },
      'kube',
    );
    const difference = new ClockDifference(clock, log);
    for (const date of [at(0), at(59_000), undefined, 'tomorrow', at(-120_000), at(-121_000)])
      difference.observe(date);
    expect(lines).lengthOf(1);
    expect(lines[0]).match(/^error the clock of this machine differs .* 12[01]s$/);
    difference.observe(at(0));
    difference.observe(at(3_600_000));
    expect(lines.slice(1).map((line) => line.split(' ')[0])).deep.equal(['info', 'error']);
    expect(lines[2]).match(/ -(3600|3599)s$/);
  });
});
