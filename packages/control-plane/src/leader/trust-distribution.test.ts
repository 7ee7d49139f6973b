import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import { KubeClient } from '@ambient/kube';
import { FakeApi, settled, testLog, until } from '@ambient/kube/testing';
import { RecordingQueue, report } from './leader.test-data.ts';
import { TrustDistribution } from './trust-distribution.ts';

const maps = '/api/v1/configmaps';
const wanted = (namespace: string, name = 'istio-ca-root-cert'): string =>
  `submit /api/v1/namespaces/${namespace}/configmaps/${name} ambient-trust`;

function configMap(namespace: string, text: string) {
  return {
    metadata: { name: 'istio-ca-root-cert', namespace, uid: namespace },
    data: { 'root-cert.pem': text },
  };
}

describe('trust distribution', () => {
  let api: FakeApi;
  let roots: string[];
  let revocations: string | undefined;
  let written: RecordingQueue;
  let trust: TrustDistribution;

  beforeEach(async () => {
    api = await FakeApi.start();
    api.serve(maps);
    roots = ['R1\n'];
    revocations = undefined;
    written = new RecordingQueue();
    const clock = new ManualClock();
    trust = new TrustDistribution({
      client: new KubeClient(api.connection(), clock),
      queue: written.queue,
      clock,
      log: testLog(),
      roots: () => roots,
      revocations: () => revocations,
    });
  });

  afterEach(async () => {
    await trust.stopLeading();
    await api[Symbol.asyncDispose]();
  });

  const namespace = (name: string, live = true): void =>
    trust.take(report('Namespace', name, live ? [{ kind: 'trust' }] : []));

  async function lead(): Promise<void> {
    trust.lead();
    // One watch for the roots, one for the revocation lists.
    await until(() => api.watching === 2);
    await settled();
  }

  it('writes where the roots are missing or others, and nowhere else', async () => {
    api.put(maps, configMap('right', 'R1\n'));
    api.put(maps, configMap('wrong', 'R0\n'));
    for (const name of ['right', 'wrong', 'none']) namespace(name);
    expect(written.take(), 'before it leads').to.deep.equal([]);
    await lead();
    expect(new Set(written.take())).to.deep.equal(new Set([wanted('wrong'), wanted('none')]));
    expect(written.requests[0]?.body['data']).to.deep.equal({ 'root-cert.pem': 'R1\n' });
  });

  it('writes again what is edited or deleted by hand', async () => {
    namespace('a');
    api.put(maps, configMap('a', 'R1\n'));
    await lead();
    written.take();
    api.put(maps, configMap('a', 'mine\n'));
    await until(() => written.calls.length > 0);
    // Both watches tell of it here: this API server knows no field selectors.
    await settled(10);
    expect(new Set(written.take())).to.deep.equal(new Set([wanted('a')]));
    api.remove(maps, 'a/istio-ca-root-cert');
    await until(() => written.calls.length > 0);
    expect(new Set(written.take())).to.deep.equal(new Set([wanted('a')]));
  });

  it('writes into a namespace that comes, and no more into one that goes', async () => {
    await lead();
    namespace('late');
    expect(written.take()).to.deep.equal([wanted('late')]);
    namespace('late', false);
    trust.changed();
    expect(written.take()).to.deep.equal([]);
  });

  it('follows a change of the roots, and writes revocation lists once there are some', async () => {
    namespace('a');
    api.put(maps, configMap('a', 'R1\n'));
    await lead();
    written.take();
    roots = ['R2\n', 'R1\n'];
    revocations = 'L\n';
    trust.changed();
    expect(written.take()).to.deep.equal([wanted('a'), wanted('a', 'istio-ca-crl')]);
    expect(written.requests.at(-2)?.body['data']).to.deep.equal({ 'root-cert.pem': 'R2\nR1\n' });
    expect(written.requests.at(-1)?.body['data']).to.deep.equal({ 'ca-crl.pem': 'L\n' });
  });

  it('writes nothing after it has stopped leading, and all that is due when it leads again', async () => {
    namespace('a');
    await lead();
    written.take();
    await trust.stopLeading();
    await until(() => api.watching === 0);
    trust.changed();
    namespace('b');
    expect(written.take()).to.deep.equal([]);
    await lead();
    await until(() => written.calls.length >= 2);
    expect(new Set(written.take())).to.deep.equal(new Set([wanted('a'), wanted('b')]));
  });
});
