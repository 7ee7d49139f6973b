import { spawn } from 'node:child_process';
import { expect } from 'chai';
import { AppError, AppProcess } from './app-process.ts';

const shell = (script: string): AppProcess =>
  new AppProcess('the program', spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] }));

describe('a program of the tour', () => {
  it('is listened to, what it said before included', async () => {
    const program = shell('echo one; echo two >&2; exit 3');
    expect(await program.end()).to.equal(3);
    expect(await program.waitForLine(/^one$/)).to.equal('one');
    expect(program.lines).to.have.members(['one', 'two']);
  });

  it('that ends without the word is told with what it said', async () => {
    const program = shell('echo out of order; exit 3');
    const failure = await program.waitForLine(/^open$/).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(AppError);
    expect((failure as Error).message)
      .to.contain('it has ended')
      .and.to.contain('out of order');
  });

  it('is not waited for any longer than that', async () => {
    const program = shell('echo here; exec sleep 5');
    const failure = await program.waitForLine(/^there$/, 50).catch((error: unknown) => error);
    expect((failure as Error).message).to.contain('after 0.05 s');
  });
});
