import { expect } from 'chai';
import { readlinkSync } from 'node:fs';
import { MisuseError } from './errors.ts';
import { NetworkNamespace } from './namespace.ts';
import { runTool } from './tool.ts';

const whereIAm = ['readlink', '/proc/self/ns/net'] as const;

describe('runTool', () => {
  it('gives what a tool has written, all of it', async () => {
    expect(await runTool(['cat'], { input: 'set by restore\n' })).to.deep.equal({
      kind: 'done',
      output: 'set by restore\n',
    });
    const long = 'rule\n'.repeat(100_000);
    expect(await runTool(['cat'], { input: long })).to.deep.equal({ kind: 'done', output: long });
  });

  it('has standard input end at once where nothing is given', async () => {
    expect(await runTool(['cat'])).to.deep.equal({ kind: 'done', output: '' });
  });

  it('tells the code of a tool that fails, and what it said', async () => {
    const outcome = await runTool(['sh', '-c', 'echo half; echo "no such table" >&2; exit 3']);
    expect(outcome).to.deep.equal({ kind: 'failed', how: 'gave 3', said: 'no such table' });
  });

  it('does not stumble over a tool that ends without reading its input', async () => {
    const outcome = await runTool(['sh', '-c', 'exit 2'], { input: 'x'.repeat(1_000_000) });
    expect(outcome).to.deep.equal({ kind: 'failed', how: 'gave 2', said: '' });
  });

  it('kills a tool that does not end, and says how long it may take', async () => {
    const outcome = await runTool(['sleep', '60'], { deadlineMs: 20 });
    expect(outcome).to.deep.equal({
      kind: 'failed',
      how: 'was ended by SIGKILL (it may take 20 ms)',
      said: '',
    });
  });

  it('tells a tool that is not there from one that fails', async () => {
    const outcome = await runTool(['no-such-tool-here']);
    expect(outcome).to.have.property('kind', 'not-started');
    expect(outcome).to.have.nested.property('cause.code', 'ENOENT');
  });

  it('runs in the namespace that is asked for, and leaves the thread where it was', async () => {
    using namespace = NetworkNamespace.create();
    const inside = namespace.enter(() => readlinkSync('/proc/thread-self/ns/net'));
    const home = readlinkSync('/proc/thread-self/ns/net');
    const running = runTool([...whereIAm], { namespace });
    expect(readlinkSync('/proc/thread-self/ns/net')).to.equal(home);
    expect(await running).to.deep.equal({ kind: 'done', output: `${inside}\n` });
    expect(await runTool([...whereIAm])).to.deep.equal({ kind: 'done', output: `${home}\n` });
  });

  it('is not run at home in place of a namespace that is closed', async () => {
    const namespace = NetworkNamespace.create();
    namespace.close();
    const error: unknown = await runTool(['true'], { namespace }).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(MisuseError);
  });
});
