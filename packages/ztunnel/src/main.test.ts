import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseCommandLine } from './command-line.ts';
import { version } from './version.ts';

/** Runs the command to its end. Only what ends before anything is bound. */
function run(command: 'src/main.ts' | 'bin/ztunnel', args: string[], env: Record<string, string> = {}) {
  const path = fileURLToPath(new URL(`../${command}`, import.meta.url));
  const [program, ...first] = command === 'bin/ztunnel' ? [path] : [process.execPath, path];
  const result = spawnSync(program, [...first, ...args], {
    env: { PATH: '/usr/bin:/bin', ...env },
    encoding: 'utf8',
    timeout: 10_000, // one that serves after all would hold up everything
  });
  return { code: result.status, out: result.stdout, err: result.stderr };
}

describe('the command', () => {
  it('reads its arguments, those of the charts too', () => {
    const kind = (...args: string[]): string => parseCommandLine(args).kind;
    expect([kind(), kind('proxy'), kind('proxy', 'ztunnel'), kind('compile')]).deep.equal([
      'run',
      'run',
      'run',
      'compile',
    ]);
    expect([kind('--help'), kind('-h'), kind('--version'), kind('version')]).deep.equal([
      'help',
      'help',
      'version',
      'version',
    ]);
    expect(parseCommandLine(['proxy', '--mode=x'])).deep.include({ kind: 'wrong' });
  });

  it('tells its version, by either way to run it', () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(version).equal(manifest.version);
    const line = `ztunnel ${version} (Node.js ${process.version})\n`;
    expect(run('src/main.ts', ['--version'])).deep.equal({ code: 0, out: line, err: '' });
    expect(run('bin/ztunnel', ['--version'])).deep.equal({ code: 0, out: line, err: '' });
  });

  it('compiles ahead for the options that it runs with', function () {
    this.timeout(20_000);
    const cache = mkdtempSync(join(tmpdir(), 'ztunnel-compiled-'));
    /** Node keeps what it has compiled apart by version and options. */
    const kept = (): string[] =>
      readdirSync(cache).filter((name) => readdirSync(join(cache, name)).length > 0);
    try {
      const env = { NODE_COMPILE_CACHE: cache };
      expect(run('src/main.ts', ['compile'], env).code).equal(0);
      const compiled = kept();
      expect(compiled).have.length(1);
      expect(run('src/main.ts', [], { ...env, PROXY_MODE: 'odd' }).code).equal(1); // has loaded its modules by then
      expect(kept()).deep.equal(compiled);
    } finally {
      rmSync(cache, { recursive: true });
    }
  });

  it('exits 1 and names every bad setting', () => {
    const { code, err } = run('src/main.ts', [], { PROXY_MODE: 'odd', ENABLE_PROXY: 'maybe' });
    expect([code, err]).deep.equal([1, err]);
    expect(err).match(/^ztunnel: 2 settings cannot be used/);
    expect(err).contain('PROXY_MODE="odd"').contain('ENABLE_PROXY="maybe"');
  });

  it('exits 1 with a remedy for a proxy that would serve nothing, and for arguments', () => {
    const idle = run('src/main.ts', [], { ENABLE_PROXY: 'false', ISTIO_META_DNS_CAPTURE: 'false' });
    expect([idle.code, idle.out]).deep.equal([1, '']);
    expect(idle.err).contain('ENABLE_PROXY').contain('nothing would be served');
    const odd = run('src/main.ts', ['--odd']);
    expect([odd.code, odd.out]).deep.equal([1, '']);
    expect(odd.err).contain('"--odd" is not understood');
  });
});
