import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Logger, LogLevels, ManualClock, Readiness, settingsFrom, silentSink } from '@ambient/runtime';
import { loadAgentSettings } from '../settings/settings.ts';
import { Installation } from './installation.ts';

describe('Installation', () => {
  let root: string;
  let clock: ManualClock;
  let readiness: Readiness;
  let looks: string[];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'installation-'));
    clock = new ManualClock();
    readiness = new Readiness();
    looks = [];
    for (const name of ['account', 'run', 'net.d']) mkdirSync(join(root, name));
    writeFileSync(join(root, 'account/token'), 'secret');
    writeFileSync(join(root, 'plugin'), 'the program');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function install(): Installation {
    const loaded = loadAgentSettings(
      settingsFrom({ NODE_NAME: 'n1', KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }),
    );
    const settings = {
      ...loaded,
      cluster: { ...loaded.cluster, accountDirectory: join(root, 'account') },
      paths: {
        ...loaded.paths,
        configDirectory: join(root, 'net.d'),
        binaryDirectory: join(root, 'bin'),
        binarySource: join(root, 'plugin'),
        mountedRunDirectory: join(root, 'run'),
      },
    };
    return new Installation({
      settings,
      readiness,
      metrics: { installLook: (result) => void looks.push(result), installed: () => undefined },
      clock,
      log: new Logger(new LogLevels('off'), silentSink, 'test'),
    });
  }
  const network = (): void =>
    writeFileSync(
      join(root, 'net.d/10-net.conflist'),
      JSON.stringify({ cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'bridge' }] }),
    );
  const plugins = (): unknown =>
    (
      JSON.parse(readFileSync(join(root, 'net.d/10-net.conflist'), 'utf8')) as {
        plugins: readonly { type: string }[];
      }
    ).plugins.map(({ type }) => type);

  it('puts program, credentials and entry on the node, and takes all of it away again', () => {
    network();
    using installation = install();
    expect(readiness.ready).to.equal(true);
    expect(looks).to.deep.equal(['SUCCESS']);
    expect(plugins()).to.deep.equal(['bridge', 'istio-cni']);
    const [kubeconfig] = readdirSync(join(root, 'run'));
    expect(readFileSync(join(root, 'run', kubeconfig!), 'utf8')).to.contain('https://[fd00::1]:443');
    const [program] = readdirSync(join(root, 'bin'));
    expect(readFileSync(join(root, 'bin', program!), 'utf8')).to.equal('the program');
    installation.stop();
    installation.uninstall();
    expect(plugins()).to.deep.equal(['bridge']);
    expect([...readdirSync(join(root, 'run')), ...readdirSync(join(root, 'bin'))]).to.deep.equal([]);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('is not ready without a network plugin, names the step, and tries again', () => {
    using installation = install();
    expect(readiness.pending).to.deep.equal(['installation']);
    expect(looks).to.deep.equal(['CREATE_CNI_CONFIG_FAILURE']);
    expect(existsSync(join(root, 'bin')), 'the program comes before the entry').to.equal(true);
    network();
    clock.advance(clock.nextTimerInMs!);
    expect(readiness.ready).to.equal(true);
    expect(plugins()).to.deep.equal(['bridge', 'istio-cni']);
    installation.stop();
  });

  for (const [what, spoil, mend, failure] of [
    [
      'the token is gone',
      () => rmSync(join(root, 'account/token')),
      () => writeFileSync(join(root, 'account/token'), 'another'),
      'CREATE_KUBECONFIG_FAILURE',
    ],
    [
      'the program cannot be copied',
      () => rmSync(join(root, 'plugin')),
      () => writeFileSync(join(root, 'plugin'), 'the program'),
      'COPY_BINARIES_FAILURE',
    ],
  ] as const)
    it(`keeps the entry although ${what}, and is not ready until that is over`, () => {
      network();
      using installation = install();
      spoil();
      network();
      clock.advance(30_000);
      expect(plugins()).to.deep.equal(['bridge', 'istio-cni']);
      expect(looks.at(-1)).to.equal(failure);
      expect(readiness.ready).to.equal(false);
      mend();
      clock.advance(clock.nextTimerInMs!);
      expect(readiness.ready).to.equal(true);
      installation.stop();
    });

  it('names the step that lacks its source', () => {
    network();
    rmSync(join(root, 'plugin'));
    using _installation = install();
    expect(looks).to.deep.equal(['COPY_BINARIES_FAILURE']);
    expect(readiness.ready).to.equal(false);
    expect(plugins(), 'an entry without a program would keep every pod from starting').to.deep.equal([
      'bridge',
    ]);
  });
});
