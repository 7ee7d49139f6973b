import type { Namespace, Pod } from '@ambient/kube';
import { expect } from 'chai';

import { captureByNode } from './capture.ts';
import { checkTable } from './command.ts';

function pod(
  name: string,
  namespace: string,
  nodeName: string,
  over: Partial<Pod['metadata']> = {},
  spec: object = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid: name, ...over },
    spec: { nodeName, ...spec },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

const ambient = { 'istio.io/dataplane-mode': 'ambient' };
const namespaces: Namespace[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', uid: 's', labels: ambient } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'guest', uid: 'g' } },
];
const captured = { annotations: { 'ambient.istio.io/redirection': 'enabled' } };

describe('ambientctl check', () => {
  it('finds the pods that should be in the mesh and are not, by node', () => {
    const nodes = captureByNode(
      [
        pod('web', 'shop', 'one', captured),
        pod('late', 'shop', 'one'),
        pod('out', 'shop', 'one', { labels: { 'istio.io/dataplane-mode': 'none' } }),
        pod('host', 'shop', 'one', {}, { hostNetwork: true }),
        pod('sidecar', 'shop', 'one', { annotations: { 'sidecar.istio.io/status': '{}' } }),
        pod('leaving', 'shop', 'one', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
        { ...pod('done', 'shop', 'one'), status: { phase: 'Succeeded' } },
        pod('own', 'guest', 'two', { labels: ambient }),
        pod('plain', 'guest', 'two'),
      ],
      namespaces,
      [pod('ztunnel-a', 'istio-system', 'one')],
    );
    expect(nodes).to.deep.equal([
      { node: 'one', ztunnel: 'ztunnel-a', captured: 1, missing: ['late.shop'] },
      { node: 'two', ztunnel: undefined, captured: 0, missing: ['own.guest'] },
    ]);
    expect(checkTable(nodes)).to.equal(`\
NODE  ZTUNNEL     CAPTURED  NOT CAPTURED
one   ztunnel-a   1         1
two   none ready  0         1

not captured, see the log of the node agent there and kubectl describe pod:
  late.shop on one
  own.guest on two
`);
  });

  it('does not take a ztunnel that is not ready for one', () => {
    const unready = { ...pod('ztunnel-b', 'istio-system', 'two'), status: { phase: 'Running' } };
    expect(captureByNode([pod('web', 'shop', 'two', captured)], namespaces, [unready])[0]).to.include({
      ztunnel: undefined,
    });
  });

  it('says that it found nothing', () => {
    expect(checkTable([])).to.contain('--istio-namespace');
  });
});
