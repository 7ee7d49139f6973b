import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { AuthError } from './auth-error.ts';
import type { Caller } from './caller.ts';
import { NodeAuthorizer } from './node-authorization.ts';
import type { PodLookup } from './node-authorization.ts';
import { authorizeDiscovery } from './xds-authorization.ts';
import type { DiscoveryNodeClaims } from './xds-authorization.ts';

const caller: Caller = {
  identity: { trustDomain: 'cluster.local', namespace: 'istio-system', serviceAccount: 'ztunnel' },
  proof: 'token',
  clusterId: '',
  pod: { name: 'zt', uid: 'uid-1' },
};
const claims: DiscoveryNodeClaims = {
  namespace: 'istio-system',
  serviceAccount: undefined,
  nodeName: 'node-a',
};
const pods: PodLookup = {
  podByName: () => ({ uid: 'uid-1', serviceAccount: 'ztunnel', nodeName: 'node-a', phase: 'Running' }),
  hasPodOnNode: () => false,
};

function authorize(changes: Partial<DiscoveryNodeClaims> = {}, who: Partial<Caller> = {}, lookup = pods) {
  const clusters = new Map([['Kubernetes', lookup]]);
  return authorizeDiscovery(
    { ...caller, ...who },
    { ...claims, ...changes },
    {
      clusters,
      primaryClusterId: 'Kubernetes',
      nodes: new NodeAuthorizer({
        clusters,
        trustDomain: () => 'cluster.local',
        trustedAccounts: new Set(['istio-system/ztunnel']),
      }),
    },
  );
}

function refusal(act: () => unknown): AuthError {
  try {
    act();
  } catch (error) {
    expect(error).to.be.instanceOf(AuthError);
    return error as AuthError;
  }
  return expect.fail('was not refused');
}

describe('discovery authorization', () => {
  it('grants a node agent the node that its pod runs on', () => {
    const grant = authorize();
    expect(grant.nodeAgent).to.be.true;
    expect(grant.nodeName).to.equal('node-a');
    expect(authorize({ serviceAccount: 'ztunnel' }).nodeName).to.equal('node-a');
  });

  it('grants a workload everything but the rights of a node agent', () => {
    const who = { identity: { ...caller.identity, namespace: 'shop', serviceAccount: 'cart' } };
    const grant = authorize({ namespace: 'shop', nodeName: undefined }, who);
    expect(grant.nodeAgent).to.be.false;
    expect(grant.nodeName).to.equal(undefined);
  });

  const refusals: readonly (readonly [string, Partial<DiscoveryNodeClaims>, number])[] = [
    ['node-malformed', { namespace: undefined }, status.INVALID_ARGUMENT],
    ['node-namespace', { namespace: 'shop' }, status.PERMISSION_DENIED],
    ['node-service-account', { serviceAccount: 'istiod' }, status.PERMISSION_DENIED],
    ['node-name', { nodeName: 'node-b' }, status.PERMISSION_DENIED],
  ];
  for (const [code, changes, number] of refusals)
    it(`refuses what was not proven: ${code}`, () => {
      const error = refusal(() => authorize(changes));
      expect(error.code).to.equal(code);
      expect(error.status).to.equal(number);
    });

  it('believes no node that nothing proves', () => {
    const unknown: PodLookup = { ...pods, podByName: () => undefined };
    expect(authorize({}, {}, unknown).nodeName).to.equal(undefined);
    expect(authorize({}, { pod: undefined }).nodeName).to.equal(undefined);
    expect(authorize({}, { clusterId: 'west' }).nodeName).to.equal(undefined);
    // The token itself may name it, before the pod is seen.
    expect(authorize({}, { nodeName: 'node-a' }, unknown).nodeName).to.equal('node-a');
    expect(refusal(() => authorize({}, { nodeName: 'node-b' }, unknown)).code).to.equal('node-name');
  });
});
