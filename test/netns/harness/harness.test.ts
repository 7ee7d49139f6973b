import { expect } from 'chai';
import { assertNoLeak, LeakError, takeLeakSnapshot } from '@ambient/testkit/lab';
import { matches } from './access-log.ts';
import { TestMesh } from './test-mesh.ts';
import { renderLocalMesh } from './local-mesh.ts';

describe('harness of the namespace tests', () => {
  it('writes string matches with their tags', () => {
    const text = renderLocalMesh({
      workloads: [],
      services: [{ name: 'a', namespace: 'n', hostname: 'a.n', vips: ['/10.0.0.1'], ports: { 80: 8080 } }],
      policies: [
        {
          name: 'p',
          namespace: 'n',
          scope: 'Namespace',
          action: 'Deny',
          rules: [[[{ principals: [{ exact: 'td/ns/n/sa/a' }], notPrincipals: [{ presence: true }] }]]],
        },
      ],
    });
    expect(text).to.contain('"principals": [!Exact "td/ns/n/sa/a"], "notPrincipals": [!Presence []]');
    expect(text).to.contain('"ports": {80: 8080}').and.to.contain('"dryRun": false');
  });

  it('finds log lines by text, pattern and absence', () => {
    const entry = { scope: 'access', 'src.addr': '10.0.0.1:40000', bytes_sent: 5 };
    expect(matches(entry, { 'src.addr': /^10\.0\.0\.1:/, bytes_sent: 5, error: undefined })).to.equal(true);
    expect(matches(entry, { 'src.addr': /^10\.0\.0\.2:/ })).to.equal(false);
    expect(matches(entry, { error: 'x' })).to.equal(false);
  });

  it('joins pods outside the mesh, and gives answers and refusals as they are', async () => {
    const mesh = await TestMesh.start({ pods: { client: { proxy: false }, server: { proxy: false } } });
    const [client, server] = [mesh.pod('client'), mesh.pod('server')];
    await server.serve('http-constant', { port: 80, body: 'plain' });
    await server.serve('transfer-server', { port: 81 });
    expect(await client.get(`http://[${server.ipv6}]/`)).to.include({
      status: 200,
      body: 'plain',
      error: null,
    });
    expect(await client.get(`http://${server.ipv4}:82/`)).to.include({ status: 0, error: 'ECONNREFUSED' });
    const bytes = { up: 3_000_000, down: 2_000_000, streams: 3 };
    expect(await client.transfer(server.ipv4, 81, bytes)).to.include({ ok: true, streams: 3 });
    await mesh.stop();
  });

  it('fails the test whose proxy cannot start, with its own words, and leaves nothing', async () => {
    const before = process.env['AMBIENT_TEST_ZTUNNEL'];
    process.env['AMBIENT_TEST_ZTUNNEL'] = 'sh -c "echo no certificate authority; exit 3"';
    let failure: unknown;
    try {
      await TestMesh.start({ pods: { a: {}, b: { proxy: false } } });
    } catch (error) {
      failure = error;
    } finally {
      if (before === undefined) delete process.env['AMBIENT_TEST_ZTUNNEL'];
      else process.env['AMBIENT_TEST_ZTUNNEL'] = before;
    }
    expect(String(failure)).to.contain('code 3').and.to.contain('no certificate authority');
  });

  it('notices a socket that a pod keeps', async () => {
    const mesh = await TestMesh.start({ pods: { a: { proxy: false }, b: { proxy: false } } });
    const scope = { namespaces: [mesh.pod('a').netns] };
    const before = takeLeakSnapshot(scope);
    await mesh.pod('a').serve('echo', { port: 7 });
    const failure = await assertNoLeak(before, scope, 50).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(LeakError);
    expect(String(failure)).to.contain('LISTEN on port 7');
    await mesh.stop();
  });
});
