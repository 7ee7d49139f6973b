import { expect } from 'chai';
import { Call, reaches } from '../function/call.ts';
import { HttpLoad } from '../function/http-load.ts';
import { logEntries } from '../harness/index.ts';
import { SharedMesh } from './shared-mesh.ts';

const ECHO_PORT = 7000;
const HTTP_PORT = 8080;
const UPGRADES = 5;
const BULK = 'x'.repeat(256 * 1024);

describe('ztunnel in shared mode is replaced', () => {
  let mesh: SharedMesh;

  beforeEach(async function () {
    this.timeout(60_000);
    mesh = await SharedMesh.start({ east: ['client', 'near'], west: ['far'] });
    for (const name of ['near', 'far']) {
      await mesh.serve(name, 'echo', { port: ECHO_PORT });
      await mesh.serve(name, 'http-constant', { port: HTTP_PORT });
    }
  });
  afterEach(() => mesh.destroy());

  it(`${UPGRADES} times under load: no request fails, and what ends within the grace is not reset`, async function () {
    this.timeout(120_000);
    const [client, near, far] = [mesh.pod('client'), mesh.pod('near'), mesh.pod('far')];
    const loads = [near, far].map(({ netns }) => new HttpLoad([client.netns], netns.ipv4, HTTP_PORT));
    try {
      for (const load of loads) await load.round();
      for (let i = 0; i < UPGRADES; i++) {
        const node = i % 2 === 0 ? 'east' : 'west';
        using nearCall = new Call(client.netns, near.netns.ipv4, ECHO_PORT);
        using farCall = new Call(client.netns, far.netns.ipv6, ECHO_PORT);
        const calls = [nearCall, farCall];
        for (const call of calls) expect(await call.echo('before')).to.equal(true);
        await mesh.upgrade(node, async () => {
          for (const call of calls) {
            expect(await call.echo(BULK), 'goes on').to.equal(true);
            expect(await call.finish()).to.equal('eof');
          }
        });
        for (const load of loads) await load.round();
      }
    } finally {
      for (const load of loads) await load.stop();
    }
    for (const load of loads) {
      expect(load.failures).to.deep.equal([]);
      expect(load.answers).to.be.greaterThan(100);
    }
    const cut = logEntries(mesh.ztunnel('east')).filter(({ reason }) => reason === 'drain-deadline');
    expect(cut).to.deep.equal([]);
  });

  it('ztunnel that is killed comes back to all of its pods', async () => {
    const [client, far] = [mesh.pod('client'), mesh.pod('far')];
    mesh.ztunnel('west').signal('SIGKILL');
    await mesh.ztunnel('west').exited;
    expect(await reaches(client.netns, far.netns.ipv4, ECHO_PORT), 'without ztunnel').to.equal(false);
    await mesh.startZtunnel('west');
    for (let tries = 0; tries < 100; tries++) {
      if (await reaches(client.netns, far.netns.ipv4, ECHO_PORT)) return;
    }
    expect.fail('the pod is not carried again');
  });
});
