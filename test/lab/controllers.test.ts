// What kubectl's users type against workloads of the lab, with the controllers at work and stand-ins for kubelets.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { TestCluster, workload } from '../../packages/lab/src/controllers/cluster.test-data.ts';
import type { JsonObject } from '../../packages/lab/src/api/object.ts';

const run = promisify(execFile);

describe('kubectl and the controllers of the lab', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  let directory: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lab-controllers-'));
    cluster = await TestCluster.start();
    writeFileSync(join(directory, 'kubeconfig'), cluster.api.kubeconfig, { mode: 0o600 });
  });
  afterEach(async () => {
    await cluster[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const kubectl = async (...args: string[]): Promise<string> => {
    const own = ['--kubeconfig', join(directory, 'kubeconfig'), '--cache-dir', join(directory, 'cache')];
    const { stdout } = await run('kubectl', [...own, ...args], {
      timeout: 30_000,
      env: { PATH: process.env['PATH'], HOME: directory },
    });
    return stdout;
  };
  const status = (what: string): Promise<string> => kubectl('rollout', 'status', what, '--timeout=20s');

  it('rolls a Deployment out, back, and shows its history', async () => {
    await kubectl('create', 'deployment', 'web', '--image=example/web:1', '--replicas=3');
    expect(await status('deployment/web')).to.contain('deployment "web" successfully rolled out');
    await kubectl('set', 'image', 'deployment/web', 'web=example/web:2');
    await status('deployment/web');
    expect(await kubectl('rollout', 'history', 'deployment/web')).to.match(/^1 .*\n2 /m);
    await kubectl('rollout', 'undo', 'deployment/web');
    await status('deployment/web');
    expect(await kubectl('get', 'deployment', 'web', '-o', 'wide')).to.match(
      /NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +3\/3 +3 +3 .*web +example\/web:1 +app=web/,
    );
    await kubectl('rollout', 'restart', 'deployment/web');
    await status('deployment/web');
    expect(await kubectl('rollout', 'history', 'deployment/web')).to.match(/^2 .*\n3 .*\n4 /m);
    expect(await kubectl('get', 'rs', '-o', 'wide')).to.match(/DESIRED +CURRENT +READY/);
    expect(await kubectl('describe', 'deployment', 'web')).to.match(/ScalingReplicaSet/);
  });

  it('pauses a Deployment, so that changes gather, and resumes it', async () => {
    await kubectl('create', 'deployment', 'web', '--image=example/web:1');
    await status('deployment/web');
    await kubectl('rollout', 'pause', 'deployment/web');
    await kubectl('set', 'image', 'deployment/web', 'web=example/web:2');
    await kubectl('scale', 'deployment/web', '--replicas=2');
    await cluster.until(() => Promise.resolve(cluster.pods().length === 2));
    await cluster.quiet();
    expect(await kubectl('get', 'pods', '-o', 'jsonpath={.items[*].spec.containers[0].image}')).to.equal(
      'example/web:1 example/web:1',
    );
    await kubectl('rollout', 'resume', 'deployment/web');
    await status('deployment/web');
    await cluster.quiet();
    expect(await kubectl('get', 'pods', '-o', 'jsonpath={.items[*].spec.containers[0].image}')).to.equal(
      'example/web:2 example/web:2',
    );
  });

  it('rolls a DaemonSet and a StatefulSet, and the DaemonSet back', async () => {
    const sets: JsonObject[] = [
      workload('DaemonSet', 'agent'),
      workload('StatefulSet', 'db', { replicas: 2 }),
    ];
    await cluster.api.load(sets);
    await status('daemonset/agent');
    await status('statefulset/db');
    await kubectl('set', 'image', 'daemonset/agent', 'app=example/app:2');
    await kubectl('set', 'image', 'statefulset/db', 'app=example/app:2');
    await status('daemonset/agent');
    await status('statefulset/db');
    await kubectl('rollout', 'undo', 'daemonset/agent');
    await status('daemonset/agent');
    expect(await kubectl('get', 'ds,sts', '-o', 'wide')).to.match(/agent +2 +2 +2 +2 +2 .*example\/app:1/);
    expect(await kubectl('rollout', 'history', 'daemonset/agent')).to.match(/^2 .*\n3 /m);
    expect(await kubectl('get', 'controllerrevisions')).to.match(/daemonset.apps\/agent +3/);
  });

  it('waits for a Job, and drains a node as far as a disruption budget lets it', async () => {
    cluster.kubelets.fate = (pod) => (pod.metadata.labels?.['job-name'] === undefined ? 'ready' : 'succeed');
    await kubectl('create', 'job', 'once', '--image=example/once');
    await kubectl('wait', '--for=condition=complete', 'job/once', '--timeout=20s');
    expect(await kubectl('get', 'jobs')).to.match(/once +Complete +1\/1/);
    await kubectl('create', 'deployment', 'web', '--image=example/web', '--replicas=4');
    await status('deployment/web');
    await kubectl('create', 'pdb', 'web', '--selector=app=web', '--min-available=3');
    await cluster.until(
      async () => (await kubectl('get', 'pdb', 'web', '-o', 'jsonpath={.status.disruptionsAllowed}')) === '1',
    );
    await kubectl('drain', 'one', '--timeout=30s', '--force', '--ignore-daemonsets');
    await status('deployment/web');
    expect(await kubectl('get', 'nodes')).to.match(/one +Ready,SchedulingDisabled/);
    const nodes = cluster.pods().filter(({ metadata }) => metadata.labels?.['app'] === 'web');
    expect(nodes.map(({ spec }) => spec?.nodeName)).to.deep.equal(['two', 'two', 'two', 'two']);
  });

  it('gives a Service of type NodePort its ports, and refuses one that another has', async () => {
    await kubectl('create', 'service', 'nodeport', 'web', '--tcp=80:8080');
    const port = await kubectl('get', 'service', 'web', '-o', 'jsonpath={.spec.ports[0].nodePort}');
    expect(Number(port)).to.be.within(30_000, 32_767);
    const taken = await kubectl(
      'create',
      'service',
      'nodeport',
      'other',
      '--tcp=80',
      `--node-port=${port}`,
    ).catch((error: { stderr: string }) => error.stderr);
    expect(taken).to.contain('provided port is already allocated');
    await kubectl('delete', 'service', 'web');
    await kubectl('create', 'service', 'nodeport', 'other', '--tcp=80', `--node-port=${port}`);
  });
});
