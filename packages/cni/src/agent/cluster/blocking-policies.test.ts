import { expect } from 'chai';
import type { Pod } from '@ambient/kube';
import { neededRule, policiesBlocking } from './blocking-policies.ts';
import type { NetworkPolicy } from './resources.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u', labels: { app: 'web' } },
};

function policy(name: string, spec: NonNullable<NetworkPolicy['spec']>): NetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: 'shop', uid: name },
    spec,
  };
}

function blocking(...policies: NetworkPolicy[]): string[] {
  return [...policiesBlocking(pod, policies)].map(
    ([direction, list]) => `${direction}: ${list.map(({ metadata }) => metadata.name).join()}`,
  );
}

describe('policiesBlocking', () => {
  it('names a policy that lets only the port of the application pass', () => {
    expect(blocking(policy('a', { podSelector: {}, ingress: [{ ports: [{ port: 8080 }] }] }))).to.deep.equal([
      'ingress: a',
    ]);
    expect(neededRule('ingress')).to.equal('spec.ingress: [{ports: [{port: 15008, protocol: TCP}]}]');
  });

  it('names one that lets nothing pass, in the directions that it is for', () => {
    expect(blocking(policy('a', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }))).to.deep.equal([
      'ingress: a',
      'egress: a',
    ]);
  });

  for (const [title, ports] of [
    ['all ports', undefined],
    ['the port', [{ port: 15008 }]],
    ['a range with it', [{ port: 15000, endPort: 15020 }]],
    ['all of TCP', [{ protocol: 'TCP' }]],
  ] as const)
    it(`is silent about one that lets ${title} pass`, () => {
      expect(
        blocking(policy('a', { podSelector: {}, ingress: [ports === undefined ? {} : { ports }] })),
      ).to.deep.equal([]);
    });

  it('is silent where another policy lets it pass, and about other pods', () => {
    const closed = policy('a', { podSelector: { matchLabels: { app: 'web' } } });
    expect(blocking(closed, policy('b', { podSelector: {}, ingress: [{}] }))).to.deep.equal([]);
    expect(blocking(policy('c', { podSelector: { matchLabels: { app: 'other' } } }))).to.deep.equal([]);
  });

  it('does not take UDP, a name or a range without it for the port', () => {
    const ports = [{ protocol: 'UDP', port: 15008 }, { port: 'hbone' }, { port: 15009, endPort: 15020 }];
    expect(blocking(policy('a', { podSelector: {}, ingress: [{ ports }] }))).to.deep.equal(['ingress: a']);
  });
});
