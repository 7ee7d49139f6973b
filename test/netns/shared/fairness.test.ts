import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { sampleApp } from '@ambient/testkit/lab';
import { Call } from '../function/call.ts';
import { SharedMesh } from './shared-mesh.ts';

const ECHO_PORT = 7000;
const HBONE_PORT = 15_008;
const ASKED = 100;
/**
 * The storm, its target, the neighbour and both proxies are on the CPUs of this one machine, so that most of what is seen here
 * is the kernel's scheduler: this finds a neighbour that starves. What the shares of time do is tested in @ambient/linux, and
 * measured by `npm run bench -- node --only fairness`; docs/data-path.md has the figures.
 */
const STARVED_MS = 500;
/** The storm has come through; on a busy machine its programs wait for a CPU, too. */
const UNDER_WAY_MS = 30_000;
/** The storm's own programs run as others do, also where the test does not. */
const ORDINARY = ['chrt', '--other', '0'];
const STORM = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  fileURLToPath(new URL('storm.ts', import.meta.url)),
];

describe('one pod takes all it can get', () => {
  let mesh: SharedMesh | undefined;

  before(async function () {
    this.timeout(60_000);
    // One worker, so that everybody meets there.
    mesh = await SharedMesh.start(
      { east: ['client', 'server', 'greedy', 'target', 'outsider'] },
      { ZTUNNEL_WORKER_THREADS: '1', RUST_LOG: 'info,access=warn' },
    );
    await mesh.release('outsider'); // a pod of the mesh cannot shake hands by itself with another's proxy
    await mesh.serve('server', 'echo', { port: ECHO_PORT });
    const echo = [...ORDINARY, ...sampleApp('echo', { port: ECHO_PORT })];
    const target = await mesh.pod('target').netns.spawn(echo, { name: 'echo' });
    await target.waitForLine(/^ready /);
  });
  after(() => mesh?.destroy());

  /** How long the neighbour's requests take, in milliseconds, the shortest first. */
  async function ask(): Promise<number[]> {
    using call = new Call(mesh!.pod('client').netns, mesh!.pod('server').netns.ipv4, ECHO_PORT);
    await call.echo('warm');
    const times: number[] = [];
    for (let i = 0; i < ASKED; i++) {
      const from = performance.now();
      expect(await call.echo(`request ${i}`)).to.equal(true);
      times.push(performance.now() - from);
    }
    return times.sort((a, b) => a - b);
  }

  const at = (times: readonly number[], quantile: number): number => times[Math.floor(ASKED * quantile)]!;

  for (const [kind, from, port, width] of [
    ['connections', 'greedy', ECHO_PORT, 64],
    ['handshakes', 'outsider', HBONE_PORT, 64],
    ['bytes', 'greedy', ECHO_PORT, 16],
  ] as const)
    it(`${kind}: its neighbour goes on being served`, async () => {
      const to = mesh!.pod('target').netns.ipv4;
      const argv = [...ORDINARY, ...STORM, kind, to, String(port), String(width)];
      const storm = await mesh!.pod(from).netns.spawn(argv, { name: `storm-${kind}` });
      await storm.waitForLine(/^under way/, UNDER_WAY_MS);
      try {
        const beside = await ask();
        expect(at(beside, 0.9)).to.be.below(STARVED_MS);
      } finally {
        storm.killNow();
        await storm.exited;
      }
    });
});
