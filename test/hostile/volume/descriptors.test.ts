import { once } from 'node:events';
import { expect } from 'chai';
import { countDescriptors } from '@ambient/testkit/lab';
import type { LabProcess } from '@ambient/testkit/lab';
import { connectFrame } from '@ambient/testkit/hostile-peer';
import type { HostilePeer } from '@ambient/testkit/hostile-peer';
import type { Pod } from '../../netns/harness/index.ts';
import { ECHO_PORT, useRig } from '../peers/rig.ts';

/** Descriptors that a proxy is left beyond those it has. */
const SPARE = 30;
const CROWD = 60;

describe('a proxy that runs out of descriptors', () => {
  const rig = useRig();

  /** Leaves the pod's proxy `SPARE` descriptors more than it has. @returns what takes the limit away */
  async function starve(pod: Pod): Promise<() => Promise<unknown>> {
    const { pid } = pod.proxy;
    const limit = async (soft: number): Promise<unknown> =>
      pod.netns.must(['prlimit', '--pid', String(pid), `--nofile=${soft}:`]);
    await limit(countDescriptors(pid) + SPARE);
    return () => limit(10_000);
  }

  const said = (proxy: LabProcess, text: string): Promise<string> =>
    proxy.waitForLine((line) => line.includes(text) && line.includes('"proxy"'));

  it('accepts no calls of applications for a while, says so, and takes those that waited', async () => {
    const { client, server } = rig();
    const relieve = await starve(client);
    const crowd = Array.from({ length: CROWD }, () => rig().callFromClient(server.ipv4, ECHO_PORT));
    const pause = await said(client.proxy, 'outbound: accepting pauses');
    expect(pause).to.contain('EMFILE');
    for (const caller of crowd.slice(0, CROWD / 2)) caller.destroy();
    await said(client.proxy, 'outbound: accepting goes on');
    for (const caller of crowd.slice(CROWD / 2)) {
      caller.send(Buffer.from('waited'));
      await caller.waitFor(() => (String(caller.bytes) === 'waited' ? true : undefined), 'echo');
    }
    await relieve();
  });

  it('accepts no tunnels for a while, says so, and goes on with those that it has', async () => {
    const { server, client } = rig();
    const held = rig().callFromClient(server.ipv4, ECHO_PORT);
    held.send(Buffer.from('before, '));
    await once(held.stream, 'data');
    const relieve = await starve(server);
    const crowd: HostilePeer[] = Array.from({ length: CROWD }, () => rig().attackTcp());
    const pause = await said(server.proxy, 'inbound: accepting pauses');
    expect(pause).to.contain('EMFILE');
    held.send(Buffer.from('during'));
    await held.waitFor(() => (String(held.bytes) === 'before, during' ? true : undefined), 'echo');
    for (const peer of crowd) peer.destroy();
    await said(server.proxy, 'inbound: accepting goes on');
    await relieve();
    expect(client.proxy.exit).to.equal(undefined);
  });

  it('answers 503 to a tunnel whose application it has no descriptor for, and keeps the connection', async () => {
    const { server } = rig();
    const peer = await rig().attack();
    const relieve = await starve(server);
    const streams = Array.from({ length: CROWD }, (_, index) => 1 + 2 * index);
    for (const stream of streams) peer.send(connectFrame(stream, `${server.ipv4}:${ECHO_PORT}`));
    const answers = await Promise.all(streams.map((stream) => peer.answer(stream)));
    expect(new Set(answers)).to.deep.equal(new Set(['200', '503']));
    const line = await rig().verdict(peer, { message: 'connection complete', reason: /./ });
    expect(line['error']).to.contain('EMFILE');
    await relieve();
    peer.send(connectFrame(2 * CROWD + 1, `${server.ipv4}:${ECHO_PORT}`));
    expect(await peer.answer(2 * CROWD + 1)).to.equal('200');
  });
});
