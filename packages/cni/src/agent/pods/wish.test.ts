import { expect } from 'chai';
import type { Namespace, Pod } from '@ambient/kube';
import { standardSelectors } from '../../eligibility.ts';
import { standardProbeAddress } from '../../rules/pod-capture.ts';
import type { WishSettings } from './wish.ts';
import { addressesOf, podWish } from './wish.ts';

const settings: WishSettings = {
  enabled: true,
  selectors: standardSelectors,
  excludedNamespaces: ['kube-system'],
  systemNamespace: 'istio-system',
  capture: { ipv6: true, dns: true, probeAddress: standardProbeAddress },
};
const ambient = { 'istio.io/dataplane-mode': 'ambient' };
const shop: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', uid: 'n', labels: ambient },
};

function pod(change: { metadata?: object; spec?: object; status?: object } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', ...change.metadata },
    spec: { ...change.spec },
    status: { phase: 'Running', podIP: '10.0.0.2', ...change.status },
  };
}

describe('podWish', () => {
  const wish = (
    change?: Parameters<typeof pod>[0],
    captured = false,
    namespace: Namespace | undefined = shop,
  ): string => {
    const result = podWish(pod(change), namespace, settings, captured);
    return 'reason' in result ? `${result.kind} ${result.reason}` : result.kind;
  };

  const cases: readonly (readonly [string, string, Parameters<typeof pod>[0], boolean?])[] = [
    ['a running pod of a labelled namespace', 'capture', {}],
    [
      'one that says no',
      'leave not-selected',
      { metadata: { labels: { 'istio.io/dataplane-mode': 'none' } } },
    ],
    [
      'one with a sidecar',
      'leave has-sidecar',
      { metadata: { annotations: { 'sidecar.istio.io/status': '{}' } } },
    ],
    ["one on the node's network", 'leave host-network', { spec: { hostNetwork: true } }],
    ['one that has succeeded', 'gone', { status: { phase: 'Succeeded' } }],
    ['one that has failed', 'gone', { status: { phase: 'Failed' } }, true],
    ['one without an address yet', 'wait no-address', { status: { phase: 'Pending', podIP: '' } }],
    ['one that terminates, uncaptured', 'wait terminating', { metadata: { deletionTimestamp: 'now' } }],
    ['one that terminates, captured', 'capture', { metadata: { deletionTimestamp: 'now' } }, true],
    [
      "ztunnel's own",
      'leave ztunnel',
      { metadata: { namespace: 'istio-system', labels: { app: 'ztunnel' } } },
    ],
    ['one of an excluded namespace', 'leave namespace-excluded', { metadata: { namespace: 'kube-system' } }],
  ];
  for (const [title, expected, change, captured] of cases)
    it(`of ${title}: ${expected}`, () => expect(wish(change, captured)).to.equal(expected));

  it('changes nothing while the namespace is not known', () => {
    expect(podWish(pod(), undefined, settings, true)).to.deep.equal({
      kind: 'wait',
      reason: 'namespace-unknown',
    });
  });

  it('refuses only what somebody has asked for', () => {
    expect(podWish(pod({ spec: { hostNetwork: true } }), shop, settings, false)).to.include({
      refused: true,
    });
    const other = { ...shop, metadata: { ...shop.metadata, labels: {} } };
    expect(podWish(pod({ spec: { hostNetwork: true } }), other, settings, false)).to.include({
      refused: false,
    });
  });

  it('reads the addresses of both families, or the one that there is', () => {
    expect(
      addressesOf(pod({ status: { podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::2' }, {}] } })),
    ).to.deep.equal(['10.0.0.2', 'fd00::2']);
    expect(addressesOf(pod())).to.deep.equal(['10.0.0.2']);
  });
});
