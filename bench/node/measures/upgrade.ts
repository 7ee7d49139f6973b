import { setTimeout as sleep } from 'node:timers/promises';
import { Call } from '../../../test/netns/function/call.ts';
import { HttpLoad } from '../../../test/netns/function/http-load.ts';
import { SharedMesh } from '../../../test/netns/shared/shared-mesh.ts';
import type { NodeEffort } from '../options.ts';
import type { MeasureContext } from '../samples.ts';

const ECHO_PORT = 7000;
const HTTP_PORT = 8080;
/** How long connections go on after the old ztunnel was told to end; its grace is 10 s. */
const GO_ON_MS = 2000;
const ECHO_EVERY_MS = 50;

/** A connection that says something now and then, from before an upgrade until the grace is nearly over. */
async function hold(call: Call, until: Promise<unknown>): Promise<boolean> {
  let over = false;
  void until.then(() => (over = true));
  let echoes = 0;
  while (!over) {
    if (!(await call.echo(`still here ${echoes++}`))) return false;
    await sleep(ECHO_EVERY_MS);
  }
  return (await call.finish()) === 'eof';
}

/** Both nodes' ztunnels are replaced in turn, under requests and beside connections that end within the grace. */
export async function measureUpgrade({ effort, add, progress }: MeasureContext<NodeEffort>): Promise<void> {
  const mesh = await SharedMesh.start({ east: ['client', 'near'], west: ['far'] });
  try {
    const [client, near, far] = [mesh.pod('client'), mesh.pod('near'), mesh.pod('far')];
    for (const name of ['near', 'far']) {
      await mesh.serve(name, 'echo', { port: ECHO_PORT });
      await mesh.serve(name, 'http-constant', { port: HTTP_PORT });
    }
    const loads = [near, far].map(({ netns }) => new HttpLoad([client.netns], netns.ipv4, HTTP_PORT));
    let resets = 0;
    try {
      for (const load of loads) await load.round();
      for (let i = 0; i < effort.upgrades; i++) {
        const node = i % 2 === 0 ? 'east' : 'west';
        progress(`upgrade ${i + 1} of ${effort.upgrades}: ${node}`);
        const calls = Array.from({ length: effort.longConnections }, (_, index) => {
          const to = index % 2 === 0 ? near : far;
          return new Call(client.netns, index % 4 < 2 ? to.netns.ipv4 : to.netns.ipv6, ECHO_PORT);
        });
        const enough = Promise.withResolvers<void>();
        const held = calls.map((call) => hold(call, enough.promise).catch(() => false));
        const startedMs = performance.now();
        await mesh.upgrade(node, async () => {
          add('takeOver', (performance.now() - startedMs) / 1000);
          await sleep(GO_ON_MS);
          enough.resolve();
          resets += (await Promise.all(held)).filter((whole) => !whole).length;
        });
        for (const call of calls) call[Symbol.dispose]();
        for (const load of loads) await load.round();
      }
    } finally {
      for (const load of loads) await load.stop();
    }
    add('resets', resets);
    add(
      'failed',
      loads.reduce((sum, { failures }) => sum + failures.length, 0),
    );
    add(
      'answered',
      loads.reduce((sum, { answers }) => sum + answers, 0),
    );
  } finally {
    await mesh.destroy();
  }
}
