import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { LabApi } from './lab-api.ts';

const run = promisify(execFile);

const manifest = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers: [{name: web, image: example/web}]
`;

/** The program itself, from the outside: what its users type must work. */
describe('kubectl against the lab', function () {
  this.timeout(60_000);
  let api: LabApi;
  let directory: string;

  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(
      'kubectl',
      ['--kubeconfig', join(directory, 'kubeconfig'), '--cache-dir', join(directory, 'cache'), ...args],
      {
        timeout: 20_000,
        env: { PATH: process.env['PATH'], HOME: directory, EDITOR: join(directory, 'editor') },
      },
    );
    return stdout;
  };
  const refused = async (...args: string[]): Promise<string> => {
    try {
      return `not refused: ${await kubectl(...args)}`;
    } catch (error) {
      return (error as { stderr: string }).stderr;
    }
  };

  before(async () => {
    try {
      await run('kubectl', ['version', '--client'], { timeout: 20_000 });
    } catch (cause) {
      throw new Error('kubectl does not run here; install it: apt-get install kubernetes-client', { cause });
    }
  });
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lab-kubectl-'));
    api = await LabApi.start({ host: '127.0.0.1', port: 0 });
    writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig, { mode: 0o600 });
    writeFileSync(join(directory, 'manifest.yaml'), manifest);
  });
  afterEach(async () => {
    await api.stop();
    rmSync(directory, { recursive: true });
  });

  const apply = (): Promise<string> => kubectl('apply', '-f', join(directory, 'manifest.yaml'));

  it('applies, and applies again without a change', async () => {
    expect(await apply()).to.contain('service/web created');
    expect((await apply()).split('\n').filter((line) => line.endsWith('unchanged'))).to.have.length(3);
  });

  it('prints tables, wide ones and YAML', async () => {
    await apply();
    expect(await kubectl('get', 'svc', '-n', 'shop')).to.match(
      /NAME +TYPE +CLUSTER-IP.*\nweb +ClusterIP +10\.96\./,
    );
    expect(await kubectl('get', 'pods', '-A', '-o', 'wide')).to.match(/NODE.*\nshop +web +0\/1 +Pending/);
    expect(await kubectl('get', 'pod', 'web', '-n', 'shop', '-o', 'yaml')).to.contain(
      'serviceAccountName: default',
    );
    expect(await kubectl('describe', 'svc', 'web', '-n', 'shop')).to.match(/Selector: +app=web/);
  });

  it('refuses a manifest with a field that does not exist, by name', async () => {
    writeFileSync(join(directory, 'manifest.yaml'), manifest.replace('image:', 'imag:'));
    expect(await refused('apply', '-f', join(directory, 'manifest.yaml'))).to.contain('imag');
  });

  it('patches, labels, annotates and edits', async () => {
    await apply();
    const pod = ['pod', 'web', '-n', 'shop'];
    await kubectl('label', ...pod, 'tier=front');
    await kubectl('annotate', ...pod, 'note=hello');
    await kubectl('patch', ...pod, '-p', '{"spec":{"containers":[{"name":"web","image":"example/web:2"}]}}');
    await kubectl(
      'patch',
      ...pod,
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/metadata/annotations/note"}]',
    );
    await kubectl('patch', ...pod, '--type=merge', '-p', '{"metadata":{"labels":{"app":null}}}');
    writeFileSync(join(directory, 'editor'), '#!/bin/sh\nsed -i "s/tier: front/tier: back/" "$1"\n');
    chmodSync(join(directory, 'editor'), 0o700);
    expect(await kubectl('edit', ...pod)).to.contain('pod/web edited');
    const { metadata, spec } = JSON.parse(await kubectl('get', ...pod, '-o', 'json')) as {
      metadata: { labels: unknown; annotations: Record<string, string> };
      spec: { containers: { image: string }[] };
    };
    expect(metadata.labels).to.deep.equal({ tier: 'back' });
    expect(metadata.annotations).to.not.have.property('note');
    expect(spec.containers.map(({ image }) => image)).to.deep.equal(['example/web:2']);
  });

  it('creates by its own generators, scales, restarts, drains and asks for tokens', async () => {
    await kubectl('create', 'namespace', 'shop');
    const inShop = (...args: string[]): Promise<string> => kubectl('-n', 'shop', ...args);
    await inShop('create', 'serviceaccount', 'bot');
    await inShop('create', 'configmap', 'settings', '--from-literal=a=1');
    await inShop('create', 'secret', 'generic', 'password', '--from-literal=p=w');
    await inShop('create', 'deployment', 'web', '--image=example/web', '--replicas=2');
    await inShop('create', 'job', 'once', '--image=example/once', '--', 'true');
    await inShop('create', 'role', 'reader', '--verb=get', '--resource=pods');
    await inShop('run', 'single', '--image=example/single');
    await inShop('expose', 'pod', 'single', '--port=80', '--labels=a=b', '--selector=run=single');
    await inShop('scale', 'deployment', 'web', '--replicas=3');
    await inShop('set', 'image', 'deployment/web', 'web=example/web:2');
    await inShop('rollout', 'restart', 'deployment/web');
    await inShop('autoscale', 'deployment', 'web', '--max=5', '--cpu-percent=50');
    expect(
      await inShop(
        'get',
        'deployment',
        'web',
        '-o',
        'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image} {.spec.strategy.rollingUpdate.maxSurge}',
      ),
    ).to.equal('3 example/web:2 25%');
    expect(await inShop('get', 'hpa', 'web')).to.match(/REFERENCE.*\nweb +Deployment\/web/);
    expect(await inShop('get', 'secret', 'password', '-o', 'jsonpath={.data.p}')).to.equal('dw==');
    expect(await kubectl('auth', 'can-i', 'get', 'pods')).to.equal('yes\n');
    expect(await refused('-n', 'shop', 'logs', 'single')).to.contain('does not have a host assigned');
    expect(await inShop('delete', 'all', '--all')).to.contain('pod "single" deleted');
  });

  it('applies on the server side, and tells of conflicts', async () => {
    const path = join(directory, 'map.yaml');
    const write = (value: string): void =>
      writeFileSync(path, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {k: "${value}"}\n`);
    write('1');
    await kubectl('apply', '--server-side', '--field-manager=one', '-f', path);
    write('2');
    const conflict = await refused('apply', '--server-side', '--field-manager=two', '-f', path);
    expect(conflict).to.contain('conflict with "one": .data.k');
    await kubectl('apply', '--server-side', '--field-manager=two', '--force-conflicts', '-f', path);
    expect(await kubectl('get', 'cm', 'm', '-o', 'jsonpath={.data.k}')).to.equal('2');
  });

  it('waits for a condition and for an end', async () => {
    await apply();
    const ready = kubectl('wait', '-n', 'shop', 'pod/web', '--for=condition=Ready', '--timeout=15s');
    // Debian's kubectl has no --subresource.
    const pod = JSON.parse(await kubectl('get', 'pod', 'web', '-n', 'shop', '-o', 'json')) as {
      status: object;
    };
    const conditions = [{ type: 'Ready', status: 'True' }];
    const path = join(directory, 'ready.json');
    writeFileSync(path, JSON.stringify({ ...pod, status: { ...pod.status, conditions } }));
    await kubectl('replace', '--raw', '/api/v1/namespaces/shop/pods/web/status', '-f', path);
    expect(await ready).to.contain('condition met');
    expect(await kubectl('delete', 'ns', 'shop', '--timeout=15s')).to.contain('deleted');
    expect(await refused('get', 'svc', 'web', '-n', 'shop')).to.contain('(NotFound)');
  });
});
