import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import { LabApi } from '../lab-api.ts';
import { TestClient } from '../test-client.test-data.ts';

const path = '/api/v1/namespaces/default/events';

describe('Events of the lab', () => {
  it('vanish an hour after they were last written', async () => {
    const clock = new ManualClock(Date.now());
    const api = await LabApi.start({ host: '127.0.0.1', port: 0, clock });
    try {
      using client = new TestClient(api, api.kubeconfig);
      const event = (name: string): unknown => ({
        metadata: { name, namespace: 'default' },
        involvedObject: { kind: 'Pod', name: 'p' },
        type: 'Normal',
      });
      const names = async (): Promise<unknown> =>
        ((await client.get(path)).body['items'] as { metadata: { name: string } }[]).map(
          (each) => each.metadata.name,
        );
      await client.send('POST', path, event('once'));
      await client.send('POST', path, event('again'));
      clock.advance(1_800_000);
      await client.send(
        'PATCH',
        `${path}/again`,
        { count: 2 },
        { 'content-type': 'application/merge-patch+json' },
      );
      clock.advance(1_800_000);
      expect(await names()).to.deep.equal(['again']);
      clock.advance(1_800_000);
      expect(await names()).to.deep.equal([]);
    } finally {
      await api.stop();
    }
    expect(clock.pendingTimers).to.equal(0);
  });
});
