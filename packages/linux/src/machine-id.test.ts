import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { machineId } from './machine-id.ts';

describe('machineId', () => {
  it('is the same in another process of this machine', () => {
    const file = new URL('./machine-id.ts', import.meta.url).href;
    const script = `import { machineId } from '${file}'; console.log(machineId())`;
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    });
    expect(Number(said)).to.equal(machineId());
    expect(machineId()).to.be.within(0, 0xffffffff);
  });
});
