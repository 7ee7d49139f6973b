import { waitFor } from '@ambient/testkit/lab';
import type { Netns } from '@ambient/testkit/lab';
import { expect } from 'chai';
import { Call } from './call.ts';
import { useMesh } from './use-mesh.ts';

const ECHO_PORT = 7000;

/** What the kernel waits for on the one established connection, `from to`, that looks like this. */
async function timer(netns: Netns, connection: RegExp): Promise<string> {
  const said = await netns.must(['ss', '-Htno', 'state', 'established']);
  const fitting: string[] = [];
  for (const line of said.trim().split('\n')) {
    const [, , from = '', to = '', waits = ''] = line.split(/\s+/);
    if (connection.test(`${from} ${to}`.replaceAll(/\[::ffff:|\]/g, ''))) fitting.push(waits);
  }
  expect(fitting, `${connection.source} in ${said}`).to.have.length(1);
  return fitting[0]!;
}

describe('keepalive of connections that a proxy carries', () => {
  const mesh = useMesh({ pods: { client: {}, server: {}, plain: { proxy: false } } }, ({ pods }) =>
    pods['server']!.serve('echo', { port: ECHO_PORT }),
  );

  /** Resolves when the one connection that looks like this is idle and would be probed after 3 minutes. */
  function isProbed(netns: Netns, connection: RegExp): Promise<unknown> {
    const look = async (): Promise<boolean> => /keepalive,(3min|2min5)/.test(await timer(netns, connection));
    return waitFor(look, `${connection.source} to be probed after 3 minutes`);
  }

  it('after 3 minutes, on all that are dialled and those of applications, but not on accepted HBONE', async () => {
    const { client, server } = mesh().pods;
    using call = new Call(client!.netns, server!.ipv4, ECHO_PORT);
    expect(await call.echo('hello')).to.equal(true);
    await isProbed(client!.netns, /:15001 /);
    await isProbed(client!.netns, / .*:15008$/);
    await isProbed(server!.netns, / .*:7000$/);
    expect(await timer(server!.netns, /:15008 /)).not.to.contain('keepalive');
  });

  it('after 3 minutes, on what comes in plain text', async () => {
    const { plain, server } = mesh().pods;
    using call = new Call(plain!.netns, server!.ipv4, ECHO_PORT);
    expect(await call.echo('hello')).to.equal(true);
    await isProbed(server!.netns, /:15006 /);
    await isProbed(server!.netns, / .*:7000$/);
  });
});
