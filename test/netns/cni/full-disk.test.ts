import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PluginInstaller, ReplaceFileError, standardSelectors } from '@ambient/cni';

const NETWORK = JSON.stringify({ cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'bridge' }] });
const PROGRAM_BYTES = 100_000;

describe("the plugin on a node whose disk is full, or can't be written", () => {
  let root: string;
  let installer: PluginInstaller;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'full-disk-'));
    for (const name of ['net.d', 'bin']) {
      mkdirSync(join(root, name));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160k', 'small', join(root, name)]);
    }
    writeFileSync(join(root, 'program'), Buffer.alloc(PROGRAM_BYTES, 1));
    writeFileSync(list(), NETWORK);
    installer = new PluginInstaller({
      configDirectory: join(root, 'net.d'),
      binaryDirectory: join(root, 'bin'),
      binarySource: join(root, 'program'),
      configName: undefined,
      ownConfigName: undefined,
      entry: {
        logLevel: 'info',
        agentRunDirectory: '/run/istio-cni',
        ambientEnabled: true,
        selectors: standardSelectors,
        excludedNamespaces: [],
        agentNamespace: 'istio-system',
        nativeNftables: false,
        retryDetection: true,
      },
    });
    installer.install();
  });
  afterEach(() => {
    for (const name of ['net.d', 'bin']) execFileSync('umount', [join(root, name)]);
    rmSync(root, { recursive: true });
  });

  const list = (): string => join(root, 'net.d/10-net.conflist');
  const program = (): Buffer => readFileSync(join(root, 'bin/istio-cni'));

  function refusal(act: () => unknown): string {
    try {
      act();
    } catch (error) {
      expect(error).to.be.instanceOf(ReplaceFileError);
      return (error as Error).message;
    }
    return 'it was written';
  }

  it('keeps the program that is there, whole, until there is space for the next', () => {
    writeFileSync(join(root, 'program'), Buffer.alloc(PROGRAM_BYTES, 2));
    expect(refusal(() => installer.installBinary())).to.match(/bin\/istio-cni: ENOSPC.*free space/);
    expect(program().equals(Buffer.alloc(PROGRAM_BYTES, 1))).to.equal(true);
    expect(readdirSync(join(root, 'bin'))).to.deep.equal(['istio-cni']);
    execFileSync('mount', ['-o', 'remount,size=1m', 'small', join(root, 'bin')]);
    installer.installBinary();
    expect(program().equals(Buffer.alloc(PROGRAM_BYTES, 2))).to.equal(true);
  });

  it('leaves the network its configuration, whole, until there is space for the entry', () => {
    writeFileSync(list(), NETWORK);
    const filler = join(root, 'net.d/filler');
    execFileSync('sh', ['-c', 'cat /dev/zero > "$1" 2>/dev/null || true', 'sh', filler]);
    expect(refusal(() => installer.installEntry())).to.match(/10-net.conflist: ENOSPC.*free space/);
    expect(readFileSync(list(), 'utf8')).to.equal(NETWORK);
    expect(readdirSync(join(root, 'net.d')).sort()).to.deep.equal(['10-net.conflist', 'filler']);
    rmSync(filler);
    installer.installEntry();
    expect(readFileSync(list(), 'utf8')).to.contain('istio-cni');
  });

  it('says so where the directory has become read-only, and goes on when it no longer is', () => {
    writeFileSync(list(), NETWORK);
    execFileSync('mount', ['-o', 'remount,ro', 'small', join(root, 'net.d')]);
    expect(refusal(() => installer.installEntry())).to.match(/10-net.conflist: EROFS.*mounted writable/);
    execFileSync('mount', ['-o', 'remount,rw', 'small', join(root, 'net.d')]);
    installer.installEntry();
    expect(readFileSync(list(), 'utf8')).to.contain('istio-cni');
  });
});
