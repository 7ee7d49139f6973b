import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { HttpLoad } from '../netns/function/http-load.ts';
import { reaches } from '../netns/function/call.ts';
import type { MeshCluster, MeshPod, PodObject } from './harness/index.ts';
import { ECHO_PORT, HTTP_PORT, startStrictMesh, waitFor } from './harness/index.ts';

/** Of a ztunnel that has been killed. */
function isBack({ status }: PodObject): boolean {
  return status.containerStatuses?.some(({ ready, restartCount }) => ready && restartCount > 0) ?? false;
}

/** Listens on a port of the proxy, beside the application: argument of `node --eval`. */
const squat = `
  const { createServer } = require('node:net');
  const server = createServer((socket) => socket.destroy());
  const listen = () => server.listen({ host: '::', port: 15001 });
  server.on('error', () => setTimeout(listen, 20));
  server.on('listening', () => process.stdout.write('squats\\n'));
  listen();
`;

/** Parts that are kept from what they need, by pods or by the node. Each test leaves the cluster as it found it. */
describe('a cluster of the mesh that lacks something, all of it under STRICT', () => {
  let mesh: MeshCluster;
  let client: MeshPod;
  let far: MeshPod;
  let outsider: MeshPod;

  before(async function () {
    this.timeout(120_000);
    ({ mesh, client, far, outsider } = await startStrictMesh({
      cni: { RULE_CHECK_INTERVAL: '500ms', CAPTURE_PROOF_INTERVAL: '2s' },
    }));
  });
  after(async function () {
    this.timeout(30_000);
    await mesh?.[Symbol.asyncDispose]();
  });

  it('the token of ztunnel is garbage, then gone: it says so, what runs goes on, and what waited has its certificate when there is a token', async function () {
    this.timeout(120_000);
    const [pod] = await mesh.meshPods('ztunnel', 'node-2');
    const token = mesh.tokenFile(pod!);
    const text = readFileSync(token, 'utf8');
    const load = new HttpLoad([client], far.ipv4, HTTP_PORT);
    try {
      writeFileSync(token, Buffer.from([0x41, 0xff, 0x0a, 0x42]));
      const late = await mesh.run('late', { node: 'node-2' });
      await logged('node-2', /no certificate.*the token .* is not one line of text/i);
      rmSync(token);
      await load.round();
      await logged('node-2', /no certificate.*the token .* cannot be read/i);
      expect(await reaches(late, far.ipv4, ECHO_PORT), 'without a certificate').to.equal(false);
      expect(await reaches(outsider, late.ipv4, ECHO_PORT), 'from outside of the mesh').to.equal(false);
      writeFileSync(token, text);
      await waitFor(() => reaches(late, far.ipv4, ECHO_PORT), 'the pod to have its certificate', 15_000);
      await load.round();
    } finally {
      writeFileSync(token, text);
      await load.stop();
    }
    expect(load.failures).to.deep.equal([]);
    await mesh.delete('late');
  });

  async function logged(node: string, pattern: RegExp): Promise<void> {
    await waitFor(
      async () => (await mesh.ztunnelLog(node)).some((entry) => pattern.test(JSON.stringify(entry))),
      `a line of ztunnel's log that matches ${pattern.source}`,
    );
  }

  it("a pod that takes the proxy's port while ztunnel is dead is told of, and the others are served by one that is ready", async function () {
    this.timeout(120_000);
    const squatter = await mesh.run('squatter', { node: 'node-2' });
    const child = mesh
      .container('squatter')!
      .spawn([process.execPath, '--eval', squat], { tty: false, stdin: false });
    let printed = '';
    child.stdout!.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const [pod] = await mesh.meshPods('ztunnel', 'node-2');
    mesh.signal(pod!, 'SIGKILL');
    await waitFor(() => printed.includes('squats'), 'the port to be taken');
    try {
      await waitFor(
        async () => (await mesh.meshPods('ztunnel', 'node-2')).some(isBack),
        'ztunnel to be ready again',
      );
      await waitFor(() => reaches(client, far.ipv4, ECHO_PORT), 'the mesh to carry again');
      expect(await reaches(outsider, far.ipv4, ECHO_PORT), 'from outside of the mesh').to.equal(false);
      await waitFor(
        async () =>
          (await mesh.events('squatter')).some((text) =>
            /^AmbientCaptureGap: .*15001: EADDRINUSE/.test(text),
          ),
        'an Event that names the port',
      );
      expect(await reaches(squatter, far.ipv4, ECHO_PORT), 'from a pod that is not served').to.equal(false);
    } finally {
      child.kill('SIGKILL');
    }
    await waitFor(() => reaches(squatter, far.ipv4, ECHO_PORT), 'the pod to be served when the port is free');
    await mesh.delete('squatter');
  });
});
