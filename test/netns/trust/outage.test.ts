import { expect } from 'chai';

import { HttpLoad } from '../function/http-load.ts';
import { HTTP_PORT, TrustMesh } from './trust-mesh.ts';

describe('trust: an outage of the whole control plane', function () {
  this.timeout(120_000);
  let trust: TrustMesh;

  before(async () => {
    // They live for longer than any machine needs to start the replicas again.
    trust = await TrustMesh.start({ certificate: 120, overlap: 150 });
  });
  after(() => trust.stop());

  it('what proxies have goes on working, and the replicas that come after know what was issued', async () => {
    const load = new HttpLoad([trust.client.netns, trust.other.netns], trust.server.ipv4, HTTP_PORT);
    try {
      await load.round();
      const { serialNumber } = await trust.askForCertificate(trust.client);
      await trust.end('istiod-0'); // the one that was asked
      await trust.kill('istiod-1');
      await load.round();
      await Promise.all(['istiod-0', 'istiod-1'].map((name) => trust.startReplica(name)));
      await load.round();
      await load.stop();
      expect(load.failures.length, load.failures.slice(0, 5).join('; ')).to.equal(0);
      await trust.leader();
      const { code, output } = await trust.operate(
        'revoke',
        '--identity',
        `spiffe://${trust.client.principal}`,
      );
      expect(code, output).to.equal(0);
      expect(output).to.contain(serialNumber);
    } finally {
      await load.stop();
    }
  });
});
