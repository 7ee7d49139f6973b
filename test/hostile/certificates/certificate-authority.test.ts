import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { FakeCa } from '@ambient/identity';
import { FakeCaServer } from '@ambient/testkit';
import { TestMesh } from '../../netns/harness/index.ts';
import type { LogEntry, Pod } from '../../netns/harness/index.ts';
import { InPodEndpoint } from '../discovery/in-pod-endpoint.ts';
import { ECHO_PORT, echoRound } from '../peers/rig.ts';

const CA_PORT = 15_012;
/** Certificates count in whole seconds; renewal comes after half of these. */
const SHORT_LIFE_MS = 5000;

describe('a certificate authority over gRPC that fails and recovers', () => {
  let mesh: TestMesh | undefined;
  let authority: FakeCaServer;
  let endpoint: InPodEndpoint;

  const client = (): Pod => mesh!.pod('client');
  const server = (): Pod => mesh!.pod('server');
  const pods = (): Pod[] => [client(), server()];

  beforeEach(async () => {
    authority = await FakeCaServer.start({ ca: await FakeCa.create({ now: Date.now }), port: null });
    endpoint = new InPodEndpoint(CA_PORT, (connection) => authority.inject(connection));
  });

  afterEach(async () => {
    try {
      await endpoint.close(); // connections to the CA are no leak
      await mesh?.stop();
    } finally {
      await mesh?.destroy();
      mesh = undefined;
      authority.stop();
    }
  });

  /** @param reachable whether the CA listens before the proxies start */
  async function start(reachable: boolean): Promise<void> {
    mesh = await TestMesh.start({
      pods: { client: {}, server: {} },
      env: {
        FAKE_CA: 'false',
        CA_ADDRESS: `https://localhost:${CA_PORT}`,
        CA_ROOT_CA: authority.ca.rootPem,
        AUTH_TOKEN: 'a-token',
        ZTUNNEL_WORKER_THREADS: '1',
      },
      prepare: (ready) => {
        if (reachable) endpoint.open(Object.values(ready.pods));
      },
    });
    await server().serve('echo', { port: ECHO_PORT });
  }

  /** Waits until a proxy's CA client has said this `count` times, with such an error. @returns the newest of these lines */
  function said(pod: Pod, message: RegExp, count = 1, failure = /(?:)/): Promise<LogEntry> {
    const isMeant = ({ scope, message: text, error }: LogEntry): boolean =>
      scope === 'ca' && message.test(String(text)) && failure.test(String(error));
    const probe = (): LogEntry | undefined => pod.log().filter(isMeant)[count - 1];
    return pod.proxy.waitFor(probe, `${String(message)} with ${String(failure)}, ${count} times`, 20_000);
  }

  const allSaid = (message: RegExp, count?: number, failure?: RegExp): Promise<LogEntry[]> =>
    Promise.all(pods().map((pod) => said(pod, message, count, failure)));

  /** A call that no certificate can be shown for is ended, and says so. */
  async function refused(error: RegExp): Promise<void> {
    const answer = await client().exchange(server().ipv4, ECHO_PORT, { send: 'hello', 'half-close': true });
    expect(answer.received).to.equal(0);
    const line = await client().waitForAccess({ direction: 'outbound', reason: 'certificate-unavailable' });
    expect(line['error']).to.match(error);
  }

  it('is down at the start, and up later: calls fail with the reason, then work', async () => {
    await start(false);
    for (const { error } of await allSaid(/^no certificate/))
      expect(error).to.match(/ca-unreachable|CA_ADDRESS/);
    await refused(/CA/);
    endpoint.open(pods());
    await allSaid(/^certificate obtained/);
    await echoRound(client(), server());
    expect(authority.seen[0]!.metadata['authorization']).to.equal('Bearer a-token');
    expect(authority.seen[0]!.impersonated, 'in dedicated mode the token says who asks').to.equal(undefined);
  });

  it('answers garbage, then refuses the token: each is said, and the right answer heals', async () => {
    authority.behaviour = 'garbage';
    await start(true);
    for (const { error } of await allSaid(/^no certificate/)) expect(error).to.match(/certificate reply/);
    await refused(/certificate reply/);
    authority.behaviour = { code: status.UNAUTHENTICATED, details: 'bad token' };
    // By then there may have been garbage more than once.
    await allSaid(/^no certificate/, 1, /bad token.*audience/);
    authority.behaviour = 'sign';
    await allSaid(/^certificate obtained/);
    await echoRound(client(), server());
  });

  it('gives short lives: no request fails while certificates are renewed', async () => {
    authority.certificateOptions = () => ({
      notBeforeMs: Date.now(),
      notAfterMs: Date.now() + SHORT_LIFE_MS,
    });
    await start(true);
    let over = false;
    const renewals = allSaid(/^certificate renewed/, 3).finally(() => (over = true));
    let rounds = 0;
    while (!over) {
      await echoRound(client(), server());
      rounds++;
    }
    await renewals;
    expect(rounds).to.be.above(20);
    const failed = pods().flatMap((pod) => pod.log().filter(({ level }) => level === 'error'));
    expect(failed).to.deep.equal([]);
  });

  it('is down when certificates are due: they serve on until they expire, and renewal heals', async () => {
    authority.certificateOptions = () => ({
      notBeforeMs: Date.now(),
      notAfterMs: Date.now() + SHORT_LIFE_MS,
    });
    await start(true);
    await allSaid(/^certificate obtained/);
    await echoRound(client(), server());
    await endpoint.close();
    for (const { retry_in: retryIn } of await allSaid(/^certificate not renewed/))
      expect(retryIn).to.match(/^\d+ms$/);
    await echoRound(client(), server());
    await allSaid(/^no certificate/);
    await refused(/CA|expired/);
    authority.certificateOptions = () => ({});
    endpoint.open(pods());
    await allSaid(/^certificate obtained/, 2);
    await echoRound(client(), server());
  });
});
