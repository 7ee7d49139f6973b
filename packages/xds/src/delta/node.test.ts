import { expect } from 'chai';

import { discoveryNode } from './node.ts';

describe('discoveryNode', () => {
  const base = { podName: 'ztunnel-x', podNamespace: 'istio-system', nodeName: 'node-1' };

  it('has the id and the metadata that a control plane asks for', () => {
    const { node } = discoveryNode({ ...base, instanceIp: '10.0.0.9' });
    expect(node.id).to.equal('ztunnel~10.0.0.9~ztunnel-x.istio-system~istio-system.svc.cluster.local');
    expect(node.metadata?.fields).to.deep.equal({
      NAME: { stringValue: 'ztunnel-x' },
      NAMESPACE: { stringValue: 'istio-system' },
      INSTANCE_IPS: { stringValue: '10.0.0.9' },
      NODE_NAME: { stringValue: 'node-1' },
    });
  });

  it('says 1.1.1.1 when it does not know its address', () => {
    expect(discoveryNode(base).node.id).to.match(/^ztunnel~1\.1\.1\.1~/);
  });

  it('adds proxy metadata, then ISTIO_META_ and ISTIO_METAJSON_, the later winning', () => {
    const { node, invalidJson } = discoveryNode({
      ...base,
      proxyMetadata: { NODE_NAME: 'other', A: 'a' },
      environment: {
        ISTIO_METAJSON_LIST: '[1, true, null, {"k": "v"}]',
        ISTIO_METAJSON_A: '"json"',
        ISTIO_METAJSON_BAD: '{',
        ISTIO_META_A: 'env',
        ISTIO_META_CLUSTER_ID: 'east',
        PATH: '/bin',
      },
    });
    const fields = node.metadata!.fields!;
    expect(fields['NODE_NAME']).to.deep.equal({ stringValue: 'other' });
    expect(fields['CLUSTER_ID']).to.deep.equal({ stringValue: 'east' });
    expect(fields['A']).to.deep.equal({ stringValue: 'json' });
    expect(fields['LIST']).to.deep.equal({
      listValue: {
        values: [
          { numberValue: 1 },
          { boolValue: true },
          { nullValue: 0 },
          { structValue: { fields: { k: { stringValue: 'v' } } } },
        ],
      },
    });
    expect(fields).to.not.have.any.keys('PATH', 'BAD');
    expect(invalidJson).to.deep.equal(['ISTIO_METAJSON_BAD']);
  });
});
