import { expect } from 'chai';

import { crlConfigMap, rootConfigMap, takesTrust } from './trust-configmaps.ts';

describe('ConfigMaps of trust', () => {
  it('hold every root and the lists under Istio’s names', () => {
    expect(rootConfigMap('shop', ['A\n', 'B\n'])).to.deep.equal({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace: 'shop', labels: { 'istio.io/config': 'true' } },
      data: { 'root-cert.pem': 'A\nB\n' },
    });
    const crl = crlConfigMap('shop', 'L\n');
    expect(crl.metadata.name).to.equal('istio-ca-crl');
    expect(crl.data).to.deep.equal({ 'ca-crl.pem': 'L\n' });
  });

  it('are written to every namespace but Kubernetes’ own and those that go away', () => {
    for (const namespace of ['shop', 'kube-system', 'default', 'istio-system'])
      expect(takesTrust(namespace, 'Active'), namespace).to.be.true;
    for (const namespace of ['kube-public', 'kube-node-lease', 'local-path-storage'])
      expect(takesTrust(namespace, 'Active'), namespace).to.be.false;
    expect(takesTrust('shop', 'Terminating')).to.be.false;
    expect(takesTrust('shop', undefined)).to.be.true;
  });
});
