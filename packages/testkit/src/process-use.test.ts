import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { memoryBytes, processorTime } from './process-use.ts';

describe('what a process uses', () => {
  it('is told of one that runs, in seconds and bytes', () => {
    const { user, system } = process.cpuUsage();
    const { own, children } = processorTime(process.pid);
    expect(own).to.be.closeTo((user + system) / 1e6, 1);
    expect(children).to.be.least(0);
    const [anonymous, resident, peak] = (['RssAnon', 'VmRSS', 'VmHWM'] as const).map((name) =>
      memoryBytes(process.pid, name),
    );
    expect(anonymous).to.be.within(1e6, resident!);
    expect(resident).to.be.most(peak!);
  });

  it('has no time and no memory once it has ended', async () => {
    const child = spawn('true');
    const { pid } = child;
    await once(child, 'close');
    expect(() => processorTime(pid!)).to.throw(/has ended/);
    expect(() => memoryBytes(pid!, 'RssAnon')).to.throw(/ENOENT/);
  });
});
