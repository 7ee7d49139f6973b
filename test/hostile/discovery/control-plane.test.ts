import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { HostilePeer } from '@ambient/testkit/hostile-peer';
import { typeUrl } from '@ambient/wire';
import { addressResource } from '@ambient/xds';
import type { LocalPolicy } from '../../netns/harness/index.ts';
import { ECHO_PORT } from '../peers/rig.ts';
import { asDiscovered, DiscoveredMesh } from './discovered-mesh.ts';

const denyClient: LocalPolicy = {
  name: 'no-clients',
  namespace: 'default',
  scope: 'Namespace',
  action: 'Deny',
  rules: [[[{ principals: [{ exact: 'cluster.local/ns/default/sa/client' }] }]]],
};

describe('a control plane that drives running proxies', () => {
  let stand: DiscoveredMesh;

  before(async () => {
    stand = await DiscoveredMesh.start();
  });
  after(() => stand.stop());
  beforeEach(() => stand.goodRound());
  afterEach(() => stand.goodRound());

  it('tells of workloads: traffic between them goes over HBONE, and the token came with the stream', async () => {
    await stand.client.waitForAccess({
      direction: 'outbound',
      'dst.workload': 'server',
      'dst.hbone_addr': `${stand.server.ipv4}:${ECHO_PORT}`,
    });
    const { headers } = stand.controlPlane.requests[0]!;
    expect(headers.get('authorization')).to.deep.equal(['Bearer a-token']);
  });

  it('sends a policy: live connections that it forbids are cut, new ones are refused; it goes, and all is well', async () => {
    const live = HostilePeer.connectPlain(stand.client.netns, stand.server.ipv4, ECHO_PORT);
    live.send(Buffer.from('hello'));
    await live.waitFor(() => (live.bytes.length > 0 ? true : undefined), 'the echo');
    stand.controlPlane.setMesh(stand.discovered({ policies: [denyClient] }));
    await live.waitForEnd();
    await stand.server.waitForAccess({ direction: 'inbound', reason: 'policy-changed' });
    const refused = await stand.client.exchange(stand.server.ipv4, ECHO_PORT, {
      send: 'x',
      'half-close': true,
    });
    expect(refused.received).to.equal(0);
    await stand.server.waitForAccess({ direction: 'inbound', reason: 'policy-denied' });
    stand.controlPlane.setMesh(stand.discovered());
    await stand.held('no-clients', false);
  });

  it('sends resources that are broken: each is refused by its name, and the others count', async () => {
    const { workloads } = asDiscovered({
      workloads: [stand.extra('sound', '10.77.0.98')],
      services: [],
      policies: [],
    });
    stand.controlPlane.push({
      typeUrl: typeUrl.address,
      resources: [
        {
          name: 'broken-bytes',
          version: '1',
          resource: { type_url: typeUrl.address, value: Buffer.from([0x0a, 0xff, 0xff, 0xff]) },
        },
        addressResource({ workload: workloads[0]! }),
        { name: 'empty', version: '1' },
      ],
      removedResources: [],
    });
    const { request } = await stand.controlPlane.request(
      (entry) => typeof entry.request.errorDetail?.message === 'string',
    );
    expect(request.errorDetail!.message)
      .to.match(/broken-bytes/)
      .and.match(/empty/);
    await stand.held('Pod/default/sound');
    for (const pod of [stand.client, stand.server])
      for (const name of ['broken-bytes', 'empty']) {
        const told = pod.log().find((entry) => entry['resource'] === name);
        expect(told?.['message']).to.match(/^resource rejected, its previous version stays/);
      }
  });

  it('is gone: traffic goes on; is back: only what changed in between is learned, what was deleted is forgotten', async () => {
    stand.controlPlane.setMesh(stand.discovered({ workloads: [stand.extra('ghost', '10.77.0.97')] }));
    await stand.held('Pod/default/ghost');
    const losses = stand.losses();
    const streams = Math.max(...stand.controlPlane.requests.map(({ stream }) => stream));
    await stand.endpoint.close();
    await stand.lost(losses);
    await stand.goodRound();
    stand.controlPlane.setMesh(stand.discovered({ workloads: [stand.extra('newcomer', '10.77.0.96')] }));
    stand.endpoint.open([stand.client, stand.server]);
    const { request } = await stand.controlPlane.request(
      (entry) => entry.stream > streams && entry.request.typeUrl === typeUrl.address,
    );
    const versions = Object.keys(request.initialResourceVersions!);
    expect(versions).to.include('Kubernetes//Pod/default/ghost').and.include(stand.server.workload.uid);
    await stand.held('Pod/default/newcomer');
    await stand.held('Pod/default/ghost', false);
  });

  it('turns proxies away: they say why, go on with what they know, and come again', async () => {
    const losses = stand.losses();
    stand.controlPlane.refuse = { code: status.UNAUTHENTICATED, details: 'token expired' };
    stand.controlPlane.endStreams();
    await stand.lost(losses, 2);
    const told = stand.client.log().findLast(({ message }) => message === 'discovery stream failed');
    expect(told!['error']).to.match(/token expired/);
    await stand.goodRound();
    stand.controlPlane.refuse = undefined;
    stand.controlPlane.setMesh(stand.discovered({ workloads: [stand.extra('latecomer', '10.77.0.95')] }));
    await stand.held('Pod/default/latecomer');
  });
});

describe('a control plane that is asked on demand', () => {
  let stand: DiscoveredMesh;

  beforeEach(async () => {
    stand = await DiscoveredMesh.start({ XDS_ON_DEMAND: 'true', ISTIO_META_DNS_CAPTURE: 'false' });
  });
  afterEach(() => stand.stop());

  const asked = (name: string): Promise<unknown> =>
    stand.controlPlane.request(({ request }) => request.resourceNamesSubscribe?.includes(name) === true);

  it('is slow to answer: the first connection waits for it, and then is a tunnel', async () => {
    const gate = Promise.withResolvers<void>();
    stand.controlPlane.answerAfter = gate.promise;
    const call = HostilePeer.connectPlain(stand.client.netns, stand.server.ipv4, ECHO_PORT);
    try {
      call.send(Buffer.from('hello'));
      await asked(`/${stand.server.ipv4}`);
      expect(call.bytes.length).to.equal(0);
      gate.resolve();
      await call.waitFor(() => (call.bytes.toString() === 'hello' ? true : undefined), 'the echo');
    } finally {
      call.destroy();
    }
    const line = await stand.client.waitForAccess({ direction: 'outbound', 'dst.workload': 'server' });
    expect(line['dst.hbone_addr']).to.equal(`${stand.server.ipv4}:${ECHO_PORT}`);
    await stand.goodRound();
  });

  it('tells of a service when it is first called, and of its endpoints with it', async () => {
    const hostname = 'echo.default.svc.cluster.local';
    const vip = '10.77.0.200'; // on the link, so that there is a route; nobody has it
    const [client, server] = stand.mesh.mesh.workloads;
    stand.controlPlane.setMesh(
      asDiscovered({
        workloads: [client!, { ...server!, services: { [`default/${hostname}`]: { 80: ECHO_PORT } } }],
        services: [
          { name: 'echo', namespace: 'default', hostname, vips: [`/${vip}`], ports: { 80: ECHO_PORT } },
        ],
        policies: [],
      }),
    );
    const answer = await stand.client.exchange(vip, 80, { send: 'hello', 'half-close': true });
    expect(answer.text).to.equal('hello');
    await asked(`/${vip}`);
    await stand.client.waitForAccess({
      direction: 'outbound',
      'dst.service': hostname,
      'dst.workload': 'server',
      'dst.hbone_addr': `${stand.server.ipv4}:${ECHO_PORT}`,
    });
  });

  it('never answers: after a while the connection goes by what is known, which the log tells', async () => {
    stand.controlPlane.answerAfter = new Promise(() => undefined);
    const answer = await stand.client.exchange(stand.server.ipv4, ECHO_PORT, {
      send: 'hello',
      'half-close': true,
      'timeout-ms': 12_000,
    });
    expect(answer.text).to.equal('hello');
    expect(answer.ms).to.be.above(4900).and.below(12_000);
    await stand.client.proxy.waitForLine(/did not answer a demand in time.*10\.77\.0\.2/);
  });
});
