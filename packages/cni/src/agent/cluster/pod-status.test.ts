import { expect } from 'chai';
import type { KubeClient, KubeRequest, Pod } from '@ambient/kube';
import { PodStatusWriter } from './pod-status.ts';

const proven = { status: 'True', reason: 'Proven', message: 'it answers' } as const;
const type = 'ambient.istio.io/Captured';

describe('PodStatusWriter', () => {
  let bodies: unknown[];
  let writer: PodStatusWriter;

  beforeEach(() => {
    bodies = [];
    const client = {
      request: (request: KubeRequest): Promise<unknown> => {
        bodies.push(request.body);
        return Promise.resolve({ metadata: { resourceVersion: String(10 + bodies.length) } });
      },
    };
    writer = new PodStatusWriter(client as KubeClient, () => 0);
  });

  function pod(annotations: Record<string, string> = {}, status: Pod['status'] = {}): Pod {
    const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '10', annotations };
    return { apiVersion: 'v1', kind: 'Pod', metadata, status };
  }

  it('writes annotation and condition at a time, and neither again', async () => {
    await writer.write(pod(), 'enabled', proven);
    await writer.write(pod(), 'enabled', { ...proven, message: 'other words' });
    expect(bodies).to.deep.equal([
      {
        metadata: { uid: 'u', annotations: { 'ambient.istio.io/redirection': 'enabled' } },
        status: { conditions: [{ type, ...proven, lastTransitionTime: '1970-01-01T00:00:00Z' }] },
      },
    ]);
  });

  it('writes a condition of captured pods only, after what is under way', async () => {
    await writer.writeCondition(pod(), proven);
    expect(bodies).to.deep.equal([]);
    await Promise.all([writer.write(pod(), 'enabled'), writer.writeCondition(pod(), proven)]);
    expect(bodies).to.have.length(2);
    expect(bodies[1]).to.have.nested.property('status.conditions[0].status', 'True');
  });

  it('takes the condition away with the annotation', async () => {
    const captured = pod(
      { 'ambient.istio.io/redirection': 'enabled' },
      { conditions: [{ type, ...proven }] },
    );
    await writer.write(captured, null);
    expect(bodies).to.deep.equal([
      {
        metadata: { uid: 'u', annotations: { 'ambient.istio.io/redirection': null } },
        status: { conditions: [{ type, $patch: 'delete' }] },
      },
    ]);
  });
});
