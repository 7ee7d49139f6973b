import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { descendants, isReady, NodeLab } from './node-lab.ts';

const sh = (script: string, more: object = {}): object => ({
  name: 'main',
  image: 'test/shell',
  command: ['sh', '-c', script],
  ...more,
});
/** Ends at SIGTERM, as a well-behaved program. */
const forever = 'trap "exit 0" TERM; while :; do sleep 0.05; done';

describe('pods of a node of the lab', () => {
  let lab: NodeLab;

  before(async () => {
    lab = await NodeLab.start();
  });
  after(() => lab[Symbol.asyncDispose]());

  it('registers the node with its addresses and labels, and keeps its lease', async () => {
    const node = await lab.client.request<{
      metadata: { labels: Record<string, string> };
      spec: { podCIDRs: string[] };
      status: { addresses: { address: string }[]; conditions: { type: string; status: string }[] };
    }>({ path: '/api/v1/nodes/node-1' });
    expect(node.metadata.labels).to.include({
      'kubernetes.io/hostname': 'node-1',
      'topology.kubernetes.io/zone': 'zone-a',
    });
    expect(node.spec.podCIDRs).to.have.length(2);
    expect(node.status.addresses.map(({ address }) => address)).to.include('node-1');
    expect(node.status.conditions.find(({ type }) => type === 'Ready')?.status).to.equal('True');
    const lease = await lab.client.request<{ spec: { holderIdentity: string } }>({
      path: '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1',
    });
    expect(lease.spec.holderIdentity).to.equal('node-1');
  });

  it('runs a pod with two addresses, its own host name and names of the cluster', async () => {
    await lab.create('simple', { containers: [sh(forever)] });
    const pod = await lab.until('simple', isReady);
    expect(pod.status.phase).to.equal('Running');
    expect(pod.status.podIPs).to.have.length(2);
    expect(pod.status.hostIP).to.equal(lab.network.nodes[0]!.addresses[0]);
    expect(await lab.exec('simple', ['hostname'])).to.equal('simple');
    expect(await lab.exec('simple', ['cat', '/etc/resolv.conf'])).to.equal(
      'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5',
    );
    expect(await lab.exec('simple', ['cat', '/etc/hosts'])).to.contain(`${pod.status.podIP}\tsimple`);
    expect(await lab.exec('simple', ['sh', '-c', 'echo /proc/[0-9]* | wc -w'])).to.match(/^[1-9]$/);
  });

  it('leaves no process, namespace, mount or file of a pod that was deleted', async () => {
    await lab.create('gone', { containers: [sh(`sleep 4321 & ${forever}`)] });
    const { metadata } = await lab.until('gone', isReady);
    const namespace = await lab.exec('gone', ['readlink', '/proc/self/ns/net']);
    expect(descendants().namespaces).to.include(namespace);
    expect(descendants().processes.filter((line) => line === 'sleep 4321')).to.have.length(1);
    await lab.remove('gone');
    await lab.until('gone', (pod) => pod === undefined);
    const after = descendants();
    expect(after.processes.filter((line) => line === 'sleep 4321')).to.deep.equal([]);
    expect(after.namespaces).not.to.include(namespace);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.to.contain(metadata.uid);
    const node = join(lab.directory, 'nodes/node-1');
    expect(existsSync(join(node, 'pods', metadata.uid))).to.equal(false);
    expect(readdirSync(join(node, 'logs')).filter((name) => name.includes('gone'))).to.deep.equal([]);
  });

  it('starts again a container that ends, the first time at once, then after a pause', async () => {
    await lab.create('crash', { containers: [sh('echo run; exit 3')] });
    const pod = await lab.until(
      'crash',
      (each) => each?.status.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff',
    );
    expect(pod.status.containerStatuses![0]!.restartCount).to.equal(1);
    expect(pod.status.phase).to.equal('Running');
    expect(isReady(pod)).to.equal(false);
    await lab.until('crash', (each) => each?.status.containerStatuses?.[0]?.restartCount === 2);
    expect(lab.kubelet.find('default', 'crash', undefined)!.previousLogPath).to.be.a('string');
  });

  it('runs init containers in order, with a sidecar that is there before and stays', async () => {
    const step = (name: string, more: object = {}): object => ({
      name,
      image: 'test/shell',
      command: ['sh', '-c', `ls /shared | tr '\\n' ' '; touch /shared/${name}`],
      volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
      ...more,
    });
    await lab.create('init', {
      volumes: [{ name: 'shared', emptyDir: {} }],
      initContainers: [
        step('a'),
        step('side', {
          restartPolicy: 'Always',
          command: ['sh', '-c', `ls /shared | tr '\\n' ' '; echo; touch /shared/side; ${forever}`],
          startupProbe: { exec: { command: ['test', '-e', '/shared/side'] }, periodSeconds: 1 },
        }),
        step('b'),
      ],
      containers: [
        sh(`ls /shared | tr '\\n' ' '; echo; ${forever}`, {
          volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
        }),
      ],
    });
    const pod = await lab.until('init', isReady);
    expect(lab.output('init', 'side').join('')).to.equal('a ');
    expect(lab.output('init', 'b').join('')).to.equal('a side ');
    expect((await lab.untilOutput('init')).join('')).to.equal('a b side ');
    expect(pod.status.initContainerStatuses!.map(({ state }) => Object.keys(state)[0])).to.deep.equal([
      'terminated',
      'running',
      'terminated',
    ]);
  });

  it('runs a job to its end, without a sandbox afterwards', async () => {
    await lab.create('job', { restartPolicy: 'Never', containers: [sh('echo done')] });
    const pod = await lab.until('job', (each) => each?.status.phase === 'Succeeded');
    expect(pod.status.containerStatuses![0]!.state.terminated).to.include({ exitCode: 0 });
    expect(lab.output('job')).to.deep.equal(['done']);
    await lab.create('broken', { restartPolicy: 'Never', containers: [sh('exit 7')] });
    const broken = await lab.until('broken', (each) => each?.status.phase === 'Failed');
    expect(broken.status.containerStatuses![0]!.state.terminated).to.include({ exitCode: 7 });
    await lab.remove('job');
    await lab.until('job', (each) => each === undefined);
  });

  it('tells which images there are when a pod names another', async () => {
    await lab.create('unknown', { containers: [{ name: 'main', image: 'example.com/library/nginx:1' }] });
    const pod = await lab.until(
      'unknown',
      (each) => each?.status.containerStatuses?.[0]?.state.waiting?.reason === 'ErrImagePull',
    );
    const { message } = pod.status.containerStatuses![0]!.state.waiting!;
    expect(message).to.contain('nginx').and.to.contain('ambient/ztunnel');
  });

  it('runs a pod of the host network in the namespace of the node', async () => {
    await lab.create('host', { hostNetwork: true, containers: [sh(forever)] });
    const pod = await lab.until('host', isReady);
    const node = lab.network.nodes[0]!;
    expect(pod.status.podIP).to.equal(node.addresses[0]);
    expect(await lab.exec('host', ['readlink', '/proc/self/ns/net'])).to.equal(readlinkSync(node.path));
  });

  it('asks a container by its hook, then by SIGTERM, and ends it when its time is over', async () => {
    await lab.create('hooked', {
      volumes: [{ name: 'v', hostPath: { path: '/var/hooks' } }],
      containers: [
        sh('trap "echo term >> /v/said; sleep 60" TERM; while :; do sleep 0.05; done', {
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
          lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo hook >> /v/said'] } } },
        }),
      ],
    });
    await lab.until('hooked', isReady);
    await lab.remove('hooked', 1);
    await lab.until('hooked', (each) => each === undefined);
    expect(readFileSync(join(lab.kubelet.hostDirectory, 'var/hooks/said'), 'utf8')).to.equal('hook\nterm\n');
  });

  it('ends a program that does not know SIGTERM without waiting', async () => {
    await lab.create('deaf', { containers: [{ name: 'main', image: 'test/shell' }] });
    await lab.until('deaf', isReady);
    await lab.remove('deaf', 50);
    await lab.until('deaf', (each) => each === undefined);
  });

  it('shows the processes of its pods, and no others, as /proc of the node', async () => {
    await lab.create('proc', {
      volumes: [{ name: 'proc', hostPath: { path: '/proc' } }],
      containers: [sh(forever, { volumeMounts: [{ name: 'proc', mountPath: '/host/proc' }] })],
    });
    const { metadata } = await lab.until('proc', isReady);
    const found = await lab.exec('proc', [
      'sh',
      '-c',
      `grep -l pod${metadata.uid.replaceAll('-', '_')} /host/proc/*/cgroup | while read f; do readlink $(dirname $f)/ns/net; done`,
    ]);
    expect(found.split('\n')).to.have.length(2); // the sandbox and the container
    const namespaces = await lab.exec('proc', [
      'sh',
      '-c',
      'for n in /host/proc/*/ns/net; do stat -L -c %i $n; done',
    ]);
    const own = await lab.exec('proc', ['stat', '-L', '-c', '%i', '/proc/self/ns/net']);
    expect(namespaces.split('\n').filter((inode) => inode === own)).to.have.length(2);
    expect(readdirSync(join(lab.kubelet.hostDirectory, 'proc'))).to.include('1');
  });

  it('starts 20 pods together', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    await Promise.all(
      names.map((name) => lab.create(name, { containers: [{ name: 'main', image: 'test/shell' }] })),
    );
    const pods = await Promise.all(names.map((name) => lab.until(name, isReady)));
    expect(new Set(pods.map(({ status }) => status.podIP)).size).to.equal(20);
    await Promise.all(names.map((name) => lab.remove(name, 0)));
  });
});
