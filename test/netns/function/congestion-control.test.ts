import type { Netns } from '@ambient/testkit/lab';
import { expect } from 'chai';
import { Call } from './call.ts';
import { useMesh } from './use-mesh.ts';

const ECHO_PORT = 7000;

/** Names of what controls the established connections, `from to`, that look like this. */
async function controlOf(netns: Netns, connection: RegExp): Promise<string[]> {
  const said = await netns.must(['ss', '-HtniO', 'state', 'established']);
  const found: string[] = [];
  for (const line of said.trim().split('\n')) {
    const [, , from = '', to = '', ...facts] = line.split(/\s+/);
    if (!connection.test(`${from} ${to}`.replaceAll(/\[::ffff:|\]/g, ''))) continue;
    found.push(facts.find((fact) => /^(reno|cubic|bbr\d?|dctcp|htcp|vegas)$/.test(fact)) ?? line);
  }
  expect(found, `${connection.source} in ${said}`).to.not.have.length(0);
  return [...new Set(found)];
}

/** What a connection of this namespace has by itself; a test proves most where that is not Reno. */
async function ownChoice(netns: Netns): Promise<string> {
  return (await netns.must(['cat', '/proc/sys/net/ipv4/tcp_congestion_control'])).trim();
}

describe('congestion control of connections that a proxy carries', () => {
  const mesh = useMesh({ pods: { client: {}, server: {}, plain: { proxy: false } } }, ({ pods }) =>
    pods['server']!.serve('echo', { port: ECHO_PORT }),
  );

  it('is Reno towards applications of its own pod, and between proxies of one machine', async () => {
    const { client, server } = mesh().pods;
    using call = new Call(client!.netns, server!.ipv4, ECHO_PORT);
    expect(await call.echo('hello')).to.equal(true);
    expect(await controlOf(client!.netns, /:15001 /)).to.deep.equal(['reno']);
    expect(await controlOf(server!.netns, / .*:7000$/)).to.deep.equal(['reno']);
    expect(await controlOf(client!.netns, / .*:15008$/)).to.deep.equal(['reno']);
    expect(await controlOf(server!.netns, /:15008 /)).to.deep.equal(['reno']);
  });

  it('is the choice of the machine towards callers in plain text and destinations outside', async () => {
    const { client, plain, server } = mesh().pods;
    using call = new Call(plain!.netns, server!.ipv4, ECHO_PORT);
    expect(await call.echo('hello')).to.equal(true);
    expect(await controlOf(server!.netns, /:15006 /)).to.deep.equal([await ownChoice(server!.netns)]);
    expect(await controlOf(server!.netns, / .*:7000$/)).to.deep.equal(['reno']);

    await plain!.serve('echo', { port: ECHO_PORT });
    using out = new Call(client!.netns, plain!.ipv4, ECHO_PORT);
    expect(await out.echo('hello')).to.equal(true);
    const toPlain = new RegExp(` ${plain!.ipv4.replaceAll('.', '\\.')}:${ECHO_PORT}$`);
    // The application's own end of this connection has the same address in its namespace.
    expect(await controlOf(client!.netns, toPlain)).to.deep.equal([await ownChoice(client!.netns)]);
  });
});
