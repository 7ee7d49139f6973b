import { expect } from 'chai';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@ambient/runtime';
import { standardSelectors } from '../eligibility.ts';
import { ConflistError } from './errors.ts';
import { PluginInstaller } from './installer.ts';
import type { InstallerOptions, Repair } from './installer.ts';
import { PluginKeeper } from './keeper.ts';

const list = { cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'bridge' }] };
const single = { cniVersion: '0.3.1', name: 'net', type: 'bridge' };

describe('installation of the plugin', () => {
  let root: string;
  let options: InstallerOptions;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cni-install-'));
    for (const name of ['net.d', 'bin']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'plugin'), 'version 1');
    options = {
      configDirectory: join(root, 'net.d'),
      binaryDirectory: join(root, 'bin'),
      binarySource: join(root, 'plugin'),
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
    };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (name: string, value: unknown): void =>
    writeFileSync(join(root, 'net.d', name), typeof value === 'string' ? value : JSON.stringify(value));
  const types = (name: string): string[] =>
    (
      JSON.parse(readFileSync(join(root, 'net.d', name), 'utf8')) as { plugins: { type: string }[] }
    ).plugins.map(({ type }) => type);
  const files = (): string[] =>
    [...readdirSync(join(root, 'net.d')), ...readdirSync(join(root, 'bin'))].sort();
  const problems = (repairs: readonly Repair[]): string[] => repairs.map(({ problem }) => problem);
  const installer = (changed: Partial<InstallerOptions> = {}): PluginInstaller =>
    new PluginInstaller({ ...options, ...changed });

  it('puts the binary and the entry in place, once', () => {
    write('10-net.conflist', list);
    expect(problems(installer().install())).to.deep.equal(['it was missing', 'our entry was missing']);
    expect(types('10-net.conflist')).to.deep.equal(['bridge', 'istio-cni']);
    expect(statSync(join(root, 'bin', 'istio-cni')).mode & 0o777).to.equal(0o755);
    const before = statSync(join(root, 'net.d', '10-net.conflist')).ino;
    expect(installer().install()).to.deep.equal([]);
    expect(statSync(join(root, 'net.d', '10-net.conflist')).ino, 'written again').to.equal(before);
  });

  it('joins what the container runtime uses: the first valid file', () => {
    write('05-broken.conflist', '{');
    write('10-net.conflist', list);
    write('20-other.conflist', list);
    installer().install();
    expect([types('10-net.conflist').length, types('20-other.conflist').length]).to.deep.equal([2, 1]);
  });

  it('joins the file that is named', () => {
    write('10-net.conflist', list);
    write('20-other.conflist', list);
    installer({ configName: '20-other.conflist' }).install();
    expect([types('10-net.conflist').length, types('20-other.conflist').length]).to.deep.equal([1, 2]);
  });

  for (const configName of [undefined, '10-net.conf'])
    it(`makes a list of a single plugin, and the single plugin again (name ${configName})`, () => {
      write('10-net.conf', single);
      installer({ configName }).install();
      expect(installer({ configName }).install()).to.deep.equal([]);
      expect(types('10-net.conflist')).to.deep.equal(['bridge', 'istio-cni']);
      expect(files()).to.not.include('10-net.conf');
      installer({ configName }).uninstall();
      expect(files()).to.deep.equal(['10-net.conf']);
      expect(JSON.parse(readFileSync(join(root, 'net.d', '10-net.conf'), 'utf8'))).to.deep.equal(single);
    });

  it('replaces the binary of another version under those who run the old one', () => {
    write('10-net.conflist', list);
    installer().install();
    const path = join(root, 'bin', 'istio-cni');
    const old = statSync(path).ino;
    writeFileSync(join(root, 'plugin'), 'version 2');
    expect(problems(installer().install())).to.deep.equal(['it was another version']);
    expect([readFileSync(path, 'utf8'), statSync(path).ino === old]).to.deep.equal(['version 2', false]);
    chmodSync(path, 0o600);
    expect(problems(installer().install())).to.deep.equal(['its permissions were changed']);
  });

  it('compares binaries that do not fit into memory at a time, and sees a change of a byte', () => {
    write('10-net.conflist', list);
    const content = Buffer.alloc(2_500_000, 'binary ');
    writeFileSync(join(root, 'plugin'), content);
    const subject = installer();
    subject.install();
    const path = join(root, 'bin', 'istio-cni');
    expect(readFileSync(path).equals(content)).to.equal(true);
    expect(installer().install()).to.deep.equal([]);
    for (const at of [0, 1_200_000, content.length - 1]) {
      const damaged = Buffer.from(content);
      damaged[at] = 0;
      writeFileSync(path, damaged);
      expect(problems(subject.install()), `byte ${at}`).to.deep.equal(['it was another version']);
      expect(readFileSync(path).equals(content)).to.equal(true);
    }
  });

  it('reads the binaries only when one of them has changed', () => {
    write('10-net.conflist', list);
    const content = Buffer.alloc(4_000_000, 'binary ');
    writeFileSync(join(root, 'plugin'), content);
    const subject = installer();
    subject.install();
    /** Bytes that this process reads meanwhile: proc_pid_io(5). */
    const bytesRead = (): number =>
      Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
    const before = bytesRead();
    expect(subject.install()).to.deep.equal([]);
    expect(bytesRead() - before).to.be.below(content.length / 2);
    chmodSync(join(root, 'plugin'), 0o700);
    expect(subject.install()).to.deep.equal([]);
    expect(bytesRead() - before, 'after a change').to.be.above(content.length);
  });

  it('leaves the node as it was', () => {
    write('10-net.conflist', list);
    write('20-foreign.conflist', list);
    writeFileSync(join(root, 'bin', 'bridge'), 'not ours');
    const before = files();
    installer().install();
    installer().uninstall();
    expect(files()).to.deep.equal(before);
    expect(types('10-net.conflist')).to.deep.equal(['bridge']);
    installer().uninstall();
  });

  describe('with a list of its own', () => {
    beforeEach(() => {
      options = { ...options, ownConfigName: '02-istio-cni.conflist' };
      write('10-net.conflist', list);
    });

    it('leaves the other file alone, and comes before it', () => {
      installer().install();
      expect(types('02-istio-cni.conflist')).to.deep.equal(['bridge', 'istio-cni']);
      expect(types('10-net.conflist')).to.deep.equal(['bridge']);
      expect(installer().install()).to.deep.equal([]);
      installer().uninstall();
      expect(files()).to.deep.equal(['10-net.conflist']);
    });

    it('follows the other file', () => {
      installer().install();
      write('10-net.conflist', { ...list, plugins: [{ type: 'bridge' }, { type: 'portmap' }] });
      expect(installer().install()).to.have.length(1);
      expect(types('02-istio-cni.conflist')).to.deep.equal(['bridge', 'portmap', 'istio-cni']);
    });

    it('refuses a name that would come behind', () => {
      const late = installer({ ownConfigName: '99-istio-cni.conflist' });
      expect(() => late.install())
        .to.throw(ConflistError)
        .with.property('code', 'ERR_CONFLIST_ORDER');
    });
  });

  it('says what it waits for', () => {
    expect(() => installer().install())
      .to.throw(ConflistError, 'network plugin')
      .with.property('code', 'ERR_CONFLIST_ABSENT');
    write('10-net.conflist', '{"plugins":');
    expect(() => installer({ configName: '10-net.conflist' }).install())
      .to.throw(ConflistError, '10-net.conflist is no JSON')
      .with.property('code', 'ERR_CONFLIST_INVALID');
  });

  describe('kept', () => {
    let clock: ManualClock;
    let outcomes: { repairs: readonly Repair[]; error: unknown }[];

    beforeEach(() => {
      clock = new ManualClock();
      outcomes = [];
    });

    function keeper(): PluginKeeper {
      const subject = installer();
      return new PluginKeeper({
        install: () => subject.install(),
        directories: [options.configDirectory, options.binaryDirectory],
        clock,
        onLooked: (outcome) => outcomes.push(outcome),
      });
    }

    /** Lets the file system's news arrive until a look is due within this time, then lets that pass. */
    async function afterChange(withinMs: number): Promise<void> {
      while ((clock.nextTimerInMs ?? Infinity) > withinMs) await new Promise(setImmediate);
      clock.advance(withinMs);
    }

    it('repairs what another has rewritten', async () => {
      write('10-net.conflist', list);
      using _ = keeper();
      await afterChange(1000); // the news of its own writing
      outcomes.length = 0;
      write('10-net.conflist', list);
      await afterChange(1000);
      expect(outcomes.flatMap(({ repairs }) => problems(repairs))).to.deep.equal(['our entry was missing']);
      expect(types('10-net.conflist')).to.deep.equal(['bridge', 'istio-cni']);
    });

    it('puts back a binary that has been deleted', async () => {
      write('10-net.conflist', list);
      using _ = keeper();
      await afterChange(1000);
      rmSync(join(root, 'bin', 'istio-cni'));
      await afterChange(1000);
      expect(files()).to.include('istio-cni');
    });

    it('waits for a network plugin', async () => {
      using _ = keeper();
      expect(outcomes[0]?.error).to.include({ code: 'ERR_CONFLIST_ABSENT' });
      write('10-net.conflist', list);
      await afterChange(1000);
      expect(types('10-net.conflist')).to.deep.equal(['bridge', 'istio-cni']);
    });

    it('fights over a file at most once a second', async () => {
      write('10-net.conflist', list);
      using _ = keeper();
      write('10-net.conflist', list);
      await afterChange(1000);
      write('10-net.conflist', list);
      while ((clock.nextTimerInMs ?? Infinity) > 1000) await new Promise(setImmediate);
      clock.advance(999);
      expect(types('10-net.conflist')).to.deep.equal(['bridge']);
      clock.advance(1);
      expect(types('10-net.conflist')).to.deep.equal(['bridge', 'istio-cni']);
    });

    it('looks by itself now and then, and leaves no timer behind', () => {
      write('10-net.conflist', list);
      const kept = keeper();
      expect(clock.nextTimerInMs).to.equal(30_000);
      clock.advance(30_000);
      expect(outcomes).to.have.length(2);
      kept.stop();
      expect(clock.pendingTimers).to.equal(0);
    });
  });
});
