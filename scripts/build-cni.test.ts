import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPlugin, bundlePlugin } from './build-cni.ts';

describe('the CNI plugin as one script', () => {
  let directory: string;
  let script: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'build-cni-'));
    script = join(directory, 'istio-cni.cjs');
    writeFileSync(script, bundlePlugin());
  });
  after(() => rmSync(directory, { recursive: true }));

  function run(env: Record<string, string>, input: object): { status: number | null; output: unknown } {
    const { status, stdout } = spawnSync(process.execPath, [script], {
      env,
      input: JSON.stringify(input),
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { status, output: JSON.parse(stdout) };
  }

  const add = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c', CNI_NETNS: '/n', CNI_IFNAME: 'eth0' };
  const prevResult = { cniVersion: '1.0.0', ips: [{ address: '10.0.0.2/24' }] };

  it('tells its versions', () => {
    const { status, output } = run({ CNI_COMMAND: 'VERSION' }, { cniVersion: '1.1.0' });
    expect([status, output]).to.have.nested.property('[1].supportedVersions').that.includes('1.1.0');
    expect(status).to.equal(0);
  });

  it('hands a result on', () => {
    expect(run(add, { cniVersion: '1.0.0', ambient_enabled: true, prevResult })).to.deep.equal({
      status: 0,
      output: prevResult,
    });
  });

  it('fails with a code when there is no agent', () => {
    const env = { ...add, CNI_ARGS: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web' };
    const config = { cniVersion: '1.0.0', ambient_enabled: true, cni_agent_run_dir: directory, prevResult };
    const { status, output } = run(env, config);
    expect([status, output]).to.have.nested.property('[1].code', 100);
    expect(status).to.equal(1);
  });

  it('is one executable that takes what was compiled into it, whatever options the runtime has for Node.js', function () {
    this.timeout(180_000); // writes 150 MB, twice
    const executable = join(directory, 'istio-cni');
    buildPlugin(executable);
    const { status, stdout, stderr } = spawnSync(executable, [], {
      env: { CNI_COMMAND: 'VERSION', NODE_OPTIONS: '--no-such-option' },
      input: '{}',
      encoding: 'utf8',
    });
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(JSON.parse(stdout)).to.have.property('supportedVersions');
  });
});
