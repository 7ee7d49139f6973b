import { once } from 'node:events';
import { expect } from 'chai';
import { Call, reaches } from '../netns/function/call.ts';
import { HttpLoad } from '../netns/function/http-load.ts';
import type { MeshPod } from './harness/index.ts';
import {
  ECHO_PORT,
  HTTP_PORT,
  identity,
  MeshCluster,
  peerAuthentications,
  REDIRECTION,
  service,
  SHOP,
  strict,
  waitFor,
} from './harness/index.ts';

const OUTSIDE = 'outside';
const BULK = 'x'.repeat(1024 * 1024);
/** One line to the echo server of a pod and back, by the shell itself: no program has to start before the first packet. */
const say = (ip: string, word: string): string =>
  `{ exec 3<>/dev/tcp/${ip}/${ECHO_PORT} && echo ${word} >&3 && read -t 5 -u 3 line && echo "heard $line"; exec 3>&-; }`;
const shell = (script: string): object => ({ image: 'ambient/shell', command: ['bash', '-c', script] });

describe('pods of a cluster come into the mesh and leave it', () => {
  let mesh: MeshCluster;
  let client: MeshPod;
  let near: MeshPod;
  let far: MeshPod;
  let outsider: MeshPod;

  before(async function () {
    this.timeout(120_000);
    mesh = await MeshCluster.start({ mtu: 1280 });
    await mesh.namespace(OUTSIDE);
    [client, near, far, outsider] = await Promise.all([
      mesh.run('client', { node: 'node-1' }),
      mesh.run('near', { node: 'node-1' }),
      mesh.run('far', { node: 'node-2' }),
      mesh.run('outsider', { node: 'node-1', namespace: OUTSIDE }),
    ]);
  });
  after(async function () {
    this.timeout(30_000);
    await mesh?.[Symbol.asyncDispose]();
  });

  /** Waits for the word of both proxies that a call went from one identity to the other. */
  async function carried(from: MeshPod, to: MeshPod): Promise<void> {
    const match = { 'src.identity': identity(from.account), 'dst.identity': identity(to.account) };
    const address = new RegExp(`^\\[?${from.ipv4}\\]?:`);
    await mesh.access(from.node, { ...match, direction: 'outbound', 'src.addr': address });
    await mesh.access(to.node, { ...match, direction: 'inbound', 'src.addr': address });
  }

  it('running pods, under load in both directions: no request fails and no connection breaks', async function () {
    this.timeout(40_000);
    const loads = [
      new HttpLoad([client], far.ipv4, HTTP_PORT),
      new HttpLoad([client], near.ipv6, HTTP_PORT),
      new HttpLoad([outsider], far.ipv4, HTTP_PORT),
      new HttpLoad([far], outsider.ipv4, HTTP_PORT),
    ];
    const rounds = (): Promise<unknown> => Promise.all(loads.map((load) => load.round()));
    try {
      await rounds();
      for (let times = 0; times < 2; times += 1) {
        using plain = new Call(client, far.ipv4, ECHO_PORT);
        using plainFromOutside = new Call(outsider, far.ipv6, ECHO_PORT);
        expect(await plain.echo('before')).to.equal(true);
        expect(await plainFromOutside.echo('before')).to.equal(true);
        await mesh.enrol(SHOP);
        await Promise.all(['client', 'near', 'far'].map((name) => mesh.captured(name)));
        await rounds();
        using tunnelled = new Call(client, far.ipv4, ECHO_PORT);
        using passed = new Call(outsider, far.ipv4, ECHO_PORT);
        const calls = { plain, plainFromOutside, tunnelled, passed };
        for (const [name, call] of Object.entries(calls))
          expect(await call.echo('while'), `${name}, while captured`).to.equal(true);
        await mesh.enrol(SHOP, null);
        await Promise.all(['client', 'near', 'far'].map((name) => mesh.captured(name, undefined)));
        await rounds();
        for (const [name, call] of Object.entries(calls)) {
          expect(await call.echo('after'), `${name}, after the release`).to.equal(true);
          expect(await call.finish(), name).to.equal('eof');
        }
      }
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    for (const load of loads) {
      expect(load.failures).to.deep.equal([]);
      expect(load.answers).to.be.greaterThan(20);
    }
    await carried(client, far);
  });

  describe('of a namespace that is in the mesh, under STRICT', () => {
    before(async () => {
      await mesh.apply(strict());
      await mesh.enrol(SHOP);
      await Promise.all(['client', 'near', 'far'].map((name) => mesh.captured(name)));
      await waitFor(async () => !(await reaches(outsider, far.ipv4, ECHO_PORT)), 'STRICT to hold');
      // Until its proxy hears that a pod is captured, a client sends plain text, which STRICT refuses.
      for (const { ipv4, name } of [near, far])
        await waitFor(() => reaches(client, ipv4, ECHO_PORT), `the mesh to carry to ${name}`);
    });
    after(() => mesh.remove(`${peerAuthentications}/strict`));

    it('a megabyte each way, over links of 1280 bytes, IPv4 and IPv6', async () => {
      for (const pod of [near, far])
        for (const ip of [pod.ipv4, pod.ipv6]) {
          using call = new Call(client, ip, ECHO_PORT);
          expect(await call.echo(BULK), ip).to.equal(true);
          expect(await call.finish(), ip).to.equal('eof');
        }
      await carried(client, far);
    });

    it('their own Service, their own address and the API server', async () => {
      await mesh.apply(service('near', [ECHO_PORT]));
      const { spec } = await mesh.get<{ spec: { clusterIPs: string[] } }>(
        `/api/v1/namespaces/${SHOP}/services/near`,
      );
      for (const ip of spec.clusterIPs)
        await waitFor(() => reaches(near, ip, ECHO_PORT), `near to reach itself by its Service ${ip}`);
      for (const ip of [near.ipv4, near.ipv6, '127.0.0.1', '::1'])
        expect(await reaches(near, ip, ECHO_PORT), ip).to.equal(true);
      const script = `fetch('https://10.96.0.1/version').then((answer) => answer.text()).then(console.log)`;
      const { text } = await mesh.exec(client, [
        'env',
        'NODE_TLS_REJECT_UNAUTHORIZED=0',
        process.execPath,
        '-e',
        script,
      ]);
      expect(text).to.contain('gitVersion');
    });

    it('what is not TCP, as it is: datagrams between pods', async () => {
      const script = `
        const { createSocket } = require('node:dgram');
        const socket = createSocket('udp4');
        socket.bind(Number(process.argv[1]), () => console.log('ready'));
        socket.on('message', (text, from) => {
          console.log(String(text));
          if (String(text) === 'pong') return socket.close();
          socket.send('pong', from.port, from.address, () => socket.close());
        });
        if (process.argv[2]) socket.send('ping', 9001, process.argv[2]);`;
      const heard = (from: MeshPod, ...args: string[]): Promise<{ text: string }> =>
        mesh.exec(from, ['timeout', '10', process.execPath, '-e', script, ...args]);
      const server = mesh
        .container('far')!
        .spawn([process.execPath, '-e', script, '9001'], { tty: false, stdin: false });
      const ended = once(server, 'close');
      await once(server.stdout!, 'data');
      expect((await heard(client, '0', far.ipv4)).text).to.equal('ready\npong');
      await ended;
    });

    it('pods of a namespace whose label comes and goes quickly end as it says last', async () => {
      const load = new HttpLoad([far], outsider.ipv4, HTTP_PORT);
      await load.round();
      for (let times = 0; times < 6; times += 1) await mesh.enrol(SHOP, times % 2 === 0 ? null : 'ambient');
      await mesh.patch(`/api/v1/namespaces/${SHOP}/pods/near`, {
        metadata: { labels: { 'istio.io/dataplane-mode': 'none' } },
      });
      await mesh.captured('near', undefined);
      await Promise.all(['client', 'far'].map((name) => mesh.captured(name)));
      await load.round();
      await load.stop();
      expect(load.failures).to.deep.equal([]);
      await waitFor(() => reaches(outsider, near.ipv4, ECHO_PORT), 'near to be out of the mesh');
      await waitFor(() => reaches(client, far.ipv4, ECHO_PORT), 'far to be in the mesh');
      await waitFor(async () => !(await reaches(outsider, far.ipv4, ECHO_PORT)), 'STRICT to hold for far');
      await mesh.patch(`/api/v1/namespaces/${SHOP}/pods/near`, {
        metadata: { labels: { 'istio.io/dataplane-mode': null } },
      });
      await mesh.captured('near');
    });

    it('new pods, whose first packet is already carried', async () => {
      const names = Array.from({ length: 6 }, (_, index) => `eager-${index}`);
      await Promise.all(
        names.map((name, index) =>
          mesh.create(name, {
            node: index % 2 === 0 ? 'node-1' : 'node-2',
            spec: {
              restartPolicy: 'Never',
              containers: [{ name: 'app', ...shell(say(index < 3 ? far.ipv4 : far.ipv6, 'first')) }],
            },
          }),
        ),
      );
      for (const name of names) {
        await mesh.untilPod(name, ({ status }) => /Succeeded|Failed/.test(status.phase ?? ''), 'end');
        expect(mesh.output(name), name).to.deep.equal(['heard first']);
      }
      await Promise.all(names.map((name) => mesh.delete(name)));
    });

    it('init containers, and what a pod does as it ends', async () => {
      const { ipv4 } = far;
      await mesh.create('hasty', {
        node: 'node-1',
        spec: {
          terminationGracePeriodSeconds: 5,
          initContainers: [
            { name: 'first', ...shell(say(ipv4, 'init')) },
            { name: 'second', ...shell(say(ipv4, 'again')) },
          ],
          containers: [
            {
              name: 'app',
              ...shell(
                `trap '${say(ipv4, 'farewell')}; exit 0' TERM; ${say(ipv4, 'main')}; while :; do sleep 0.1; done`,
              ),
            },
          ],
        },
      });
      await waitFor(() => mesh.output('hasty').length > 0, 'the main container');
      expect(mesh.output('hasty', SHOP, 'first')).to.deep.equal(['heard init']);
      expect(mesh.output('hasty', SHOP, 'second')).to.deep.equal(['heard again']);
      await mesh.remove(`/api/v1/namespaces/${SHOP}/pods/hasty`);
      const log = await waitFor(() => {
        const lines = mesh.output('hasty');
        return lines.length > 1 && lines;
      }, 'the farewell');
      expect(log).to.deep.equal(['heard main', 'heard farewell']);
    });

    it('Jobs: each of their pods calls as it starts and ends at once, beside others that are deleted at their start', async () => {
      const template = (script: string): object => ({
        spec: { restartPolicy: 'Never', containers: [{ name: 'app', ...shell(script) }] },
      });
      await mesh.apply({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'burst', namespace: SHOP },
        spec: { completions: 6, parallelism: 3, backoffLimit: 0, template: template(say(far.ipv4, 'job')) },
      });
      for (let index = 0; index < 4; index += 1) {
        await mesh.create(`gone-${index}`, { spec: { containers: [{ name: 'app', ...shell('sleep 60') }] } });
        await mesh.remove(`/api/v1/namespaces/${SHOP}/pods/gone-${index}`, 0);
      }
      const job = await waitFor(async () => {
        const { status } = await mesh.get<{ status?: { succeeded?: number; failed?: number } }>(
          `/apis/batch/v1/namespaces/${SHOP}/jobs/burst`,
        );
        return ((status?.succeeded ?? 0) === 6 || (status?.failed ?? 0) > 0) && status;
      }, 'the Job');
      expect(job.failed ?? 0).to.equal(0);
      await mesh.remove(`/apis/batch/v1/namespaces/${SHOP}/jobs/burst`);
      // Nothing is left of pods that came and went.
      for (const node of ['node-1', 'node-2'])
        await waitFor(
          async () => {
            const pods = await mesh.list(`/api/v1/pods`, { fieldSelector: `spec.nodeName=${node}` });
            const wanted = pods.filter(({ metadata }) => metadata.annotations?.[REDIRECTION] === 'enabled');
            const known = await mesh.carriedPods(node);
            return (
              known.length === wanted.length && wanted.every(({ metadata }) => known.includes(metadata.uid))
            );
          },
          async () =>
            `ztunnel of ${node} to have the pods that are there: ${(await mesh.carriedPods(node)).join()}`,
        );
    });

    it('its probes go on, IPv4 and IPv6, while others are refused', async () => {
      const strictly = { periodSeconds: 1, failureThreshold: 1 };
      const container = {
        name: 'app',
        image: 'test/app',
        startupProbe: { exec: { command: ['sh', '-c', 'exit 0'] }, initialDelaySeconds: 1 },
        readinessProbe: { httpGet: { path: '/', port: HTTP_PORT }, ...strictly },
        livenessProbe: { tcpSocket: { port: ECHO_PORT }, ...strictly },
      };
      const probed = await mesh.run('probed', { node: 'node-2', spec: { containers: [container] } });
      const node = { name: 'node-2', path: mesh.nodePath('node-2') };
      const load = [probed.ipv4, probed.ipv6].map((ip) => new HttpLoad([node], ip, HTTP_PORT));
      await Promise.all(load.map((each) => each.round()));
      for (const ip of [probed.ipv4, probed.ipv6]) {
        expect(await reaches(outsider, ip, ECHO_PORT), `from outside the mesh to ${ip}`).to.equal(false);
        expect(await reaches(client, ip, ECHO_PORT), `from the mesh to ${ip}`).to.equal(true);
        expect(
          await reaches({ path: mesh.nodePath('node-1') }, ip, ECHO_PORT),
          `from another node to ${ip}`,
        ).to.equal(false);
      }
      for (const each of load) await each.stop();
      expect(load.flatMap(({ failures }) => failures)).to.deep.equal([]);
      const { status } = (await mesh.pod('probed'))!;
      expect(status.containerStatuses![0]).to.deep.include({ ready: true, restartCount: 0 });
      await mesh.delete('probed');
    });

    it('pods on the network of the node, those labelled none, and excluded namespaces are left alone', async () => {
      const ambient = { 'istio.io/dataplane-mode': 'ambient' };
      await mesh.create('host', { node: 'node-1', labels: ambient, spec: { hostNetwork: true } });
      const [none, excluded] = await Promise.all([
        mesh.run('none', { node: 'node-2', labels: { 'istio.io/dataplane-mode': 'none' } }),
        mesh.run('excluded', { node: 'node-1', namespace: 'kube-system', labels: ambient }),
      ]);
      const host = await mesh.running('host');
      for (const { name, namespace } of [none, excluded, host])
        expect((await mesh.pod(name, namespace))!.metadata.annotations ?? {}, name).not.to.have.property(
          REDIRECTION,
        );
      await waitFor(
        async () => (await mesh.events('host')).some((text) => text.startsWith('AmbientNotSupported')),
        'an Event about the pod on the network of its node',
      );
      // They reach what does not insist on the mesh, and are reached.
      for (const pod of [none, excluded]) {
        expect(await reaches(pod, outsider.ipv4, ECHO_PORT), `${pod.name} to the outside`).to.equal(true);
        expect(await reaches(client, pod.ipv4, ECHO_PORT), `to ${pod.name}`).to.equal(true);
        expect(await reaches(pod, far.ipv4, ECHO_PORT), `${pod.name} into the mesh`).to.equal(false);
      }
      expect(await reaches(client, host.ipv4, ECHO_PORT), 'to the host').to.equal(true);
      await Promise.all([mesh.delete('host'), mesh.delete('none'), mesh.delete('excluded', 'kube-system')]);
    });
  });
});
