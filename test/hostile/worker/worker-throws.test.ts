import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { waitFor } from '@ambient/testkit/lab';
import { Call, fetchFrom, reaches } from '../../netns/function/call.ts';
import { useMesh } from '../../netns/function/use-mesh.ts';
import { COLLAPSE_PORT, HOARD_PORT, SLIP_PORT } from './throw-on-poison.ts';

const ECHO_PORT = 7000;
const CALLS = 8;
const preload = fileURLToPath(new URL('throw-on-poison.ts', import.meta.url));
const proxy = fileURLToPath(new URL('../../../packages/ztunnel/src/main.ts', import.meta.url));

describe('a data worker that throws', () => {
  for (const workers of [1, 2])
    describe(`of ${workers}`, () => {
      const mesh = useMesh(
        { pods: { client: {}, server: {} }, env: { ZTUNNEL_WORKER_THREADS: String(workers) } },
        (started) => started.pod('server').serve('echo', { port: ECHO_PORT }),
        `${process.execPath} --max-old-space-size=128 --disable-warning=ExperimentalWarning --import ${preload} ${proxy}`,
      );

      /** Opens calls, lets one more hit the defect. @returns how many of the calls still work */
      async function survivors(port: number, said: readonly string[]): Promise<number> {
        const client = mesh().pod('client');
        const { ipv4 } = mesh().pod('server');
        const calls = Array.from({ length: CALLS }, () => new Call(client.netns, ipv4, ECHO_PORT));
        try {
          for (const call of calls) expect(await call.echo('before')).to.equal(true);
          using unlucky = new Call(client.netns, ipv4, port);
          await unlucky.endsWithin(10_000);
          for (const text of said) await client.proxy.waitForLine((line) => line.includes(text));
          const alive = await Promise.all(calls.map((call) => call.echo('after').catch(() => false)));
          return alive.filter(Boolean).length;
        } finally {
          for (const call of calls) call[Symbol.dispose]();
        }
      }

      it('while it accepts: that connection is lost, and said', async () => {
        expect(await survivors(SLIP_PORT, ['a defect ended a connection'])).to.equal(CALLS);
      });

      it('where nothing catches it: its connections are lost, the process goes on with another', async () => {
        const alive = await survivors(COLLAPSE_PORT, ['data worker died', 'data worker is back']);
        expect(alive).to.be.at.most(workers === 1 ? 0 : CALLS - 1);
        const client = mesh().pod('client');
        expect(await reaches(client.netns, mesh().pod('server').ipv4, ECHO_PORT)).to.equal(true);
        const ready = await fetchFrom(client.netns, '127.0.0.1', 15_021, { path: '/healthz/ready' });
        expect(ready.status).to.equal(200);
        expect(client.proxy.exit).to.equal(undefined);
      });

      it('that has no memory left: its connections are cut, the process goes on with another', async () => {
        const alive = await survivors(HOARD_PORT, ['out of memory']);
        expect(alive).to.be.at.most(workers === 1 ? 0 : CALLS - 1);
        const client = mesh().pod('client');
        await waitFor(() => reaches(client.netns, mesh().pod('server').ipv4, ECHO_PORT), 'its successor');
        for (let call = 0; call < CALLS; call += 1)
          expect(await reaches(client.netns, mesh().pod('server').ipv4, ECHO_PORT), `call ${call}`).to.equal(
            true,
          );
        expect(client.proxy.exit).to.equal(undefined);
      });
    });
});
