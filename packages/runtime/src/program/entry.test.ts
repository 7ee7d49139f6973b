import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import type { CommonCommand } from './entry.ts';

/** Has a program of its own do what its command line asks for. */
function run(command: CommonCommand): { code: number | null; out: string; err: string } {
  const entry = new URL('entry.ts', import.meta.url).href;
  const script = `
    const { runCommonCommand } = await import(${JSON.stringify(entry)});
    const load = async () => console.log('loaded');
    await runCommonCommand(${JSON.stringify(command)}, { name: 'prog', version: '1.2.3', load });`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return { code: status, out: stdout, err: stderr };
}

describe('runCommonCommand', () => {
  const cases: readonly [CommonCommand, ReturnType<typeof run>][] = [
    [{ kind: 'compile' }, { code: 0, out: 'loaded\n', err: '' }],
    [
      { kind: 'help', text: 'usage: prog\n' },
      { code: 0, out: 'usage: prog\n', err: '' },
    ],
    [{ kind: 'version' }, { code: 0, out: `prog 1.2.3 (Node.js ${process.version})\n`, err: '' }],
    [
      { kind: 'wrong', problem: '"--odd" is not known' },
      { code: 1, out: '', err: 'prog: "--odd" is not known; see --help\n' },
    ],
  ];
  for (const [command, outcome] of cases)
    it(`${command.kind}: says so, and ends with ${outcome.code}`, () => {
      expect(run(command)).to.deep.equal(outcome);
    });
});
