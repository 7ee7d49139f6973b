import { expect } from 'chai';

import { autoscalerFromV1, autoscalerToV1 } from './autoscaler-versions.ts';

describe('HorizontalPodAutoscaler in its versions', () => {
  const base = { kind: 'HorizontalPodAutoscaler', metadata: { name: 'a' } };
  const old = {
    ...base,
    apiVersion: 'autoscaling/v1',
    spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 50 },
  };

  it('comes back as it was written', () => {
    expect(autoscalerToV1(autoscalerFromV1(old))).to.deep.equal({ ...old, status: {} });
  });

  it('goes by the processor if it says nothing', () => {
    const converted = autoscalerFromV1({ ...old, spec: { maxReplicas: 3 } });
    expect(converted).to.have.nested.property('spec.metrics[0].resource.target.averageUtilization', 80);
  });

  it('shows only what the old version has', () => {
    const spec = { maxReplicas: 3, behavior: {}, metrics: [{ type: 'Pods' }] };
    expect(autoscalerToV1({ ...base, apiVersion: 'autoscaling/v2', spec })['spec']).to.deep.equal({
      maxReplicas: 3,
    });
  });
});
