import { expect } from 'chai';

import type { Affinity, Node, Pod, PodSpec, Taint } from '../objects.ts';
import { chooseNode } from './choose-node.ts';
import type { Candidate } from './choose-node.ts';
import { stayMs, tolerates } from './tolerations.ts';

function node(
  name: string,
  labels: Record<string, string> = {},
  taints: Taint[] = [],
  pods: Pod[] = [],
): Candidate {
  const made: Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { taints },
  };
  return { node: made, pods };
}

function pod(name: string, spec: PodSpec = {}, labels: Record<string, string> = {}): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', uid: name, labels }, spec };
}

const chosen = (each: Pod, ...nodes: Candidate[]): string => {
  const choice = chooseNode(each, nodes);
  return choice.kind === 'node' ? choice.name : choice.message;
};

describe('chooseNode', () => {
  it('takes the node with the fewest pods, the first by name of equals', () => {
    expect(chosen(pod('x'), node('b'), node('a'))).to.equal('a');
    expect(chosen(pod('x'), node('b'), node('a', {}, [], [pod('y')]))).to.equal('b');
  });

  it('spreads the pods of one owner', () => {
    const replica = (name: string): Pod => {
      const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true };
      const made = pod(name);
      return { ...made, metadata: { ...made.metadata, ownerReferences: [owner] } };
    };
    const full = node('b', {}, [], [pod('x'), pod('y')]);
    expect(chosen(replica('web-2'), node('a', {}, [], [replica('web-1')]), full)).to.equal('b');
    expect(chosen(pod('z'), node('a', {}, [], [replica('web-1')]), full)).to.equal('a');
  });

  it('says why no node will do, reason by reason', () => {
    const taint = { key: 'k', effect: 'NoSchedule' };
    const spec = { nodeSelector: { disk: 'fast' } };
    expect(chosen(pod('x', spec), node('a', {}, [taint]), node('b'), node('c'))).to.equal(
      "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector.",
    );
    expect(chosen(pod('x'))).to.equal('no nodes available to schedule pods');
  });

  it('keeps away from a node that is cordoned', () => {
    const { node: made, pods } = node('a');
    const cordoned = { node: { ...made, spec: { unschedulable: true } }, pods };
    expect(chosen(pod('x'), cordoned)).to.equal('0/1 nodes are available: 1 node(s) were unschedulable.');
  });

  it('follows required and preferred affinity to nodes', () => {
    const affinity: Affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['x', 'y'] }] }],
        },
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            preference: { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['x'] }] },
          },
        ],
      },
    };
    const nodes = [node('a', { zone: 'x' }), node('b', { zone: 'z' }), node('c', { zone: 'y' })];
    expect(chosen(pod('p', { affinity }), ...nodes)).to.equal('c');
  });

  it('spreads what does not want to be together', () => {
    const term = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'zone' };
    const web = pod('w', { nodeName: 'a' }, { app: 'web' });
    const others = [pod('o1'), pod('o2')];
    const nodes = [
      node('a', { zone: '1' }, [], [web]),
      node('b', { zone: '1' }),
      node('c', { zone: '2' }, [], others),
    ];
    const preferred: Affinity = {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }],
      },
    };
    expect(chosen(pod('p', { affinity: preferred }), ...nodes)).to.equal('c');
    const required: Affinity = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    };
    expect(chosen(pod('p', { affinity: required }), nodes[0]!, nodes[1]!)).to.contain(
      "didn't match pod anti-affinity rules",
    );
  });

  it('gives a port of a node to one pod only', () => {
    const spec = { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 8080 }] }] };
    expect(chosen(pod('x', spec), node('a', {}, [], [pod('y', spec)]))).to.contain("didn't have free ports");
  });
});

describe('tolerations', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoExecute' };
  const cases = [
    [{ key: 'k', operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: 'k', value: 'v' }, true],
    [{ key: 'k', value: 'w' }, false],
    [{ key: 'k', value: 'v', effect: 'NoSchedule' }, false],
    [{}, false],
    [{ key: 'other', operator: 'Exists' }, false],
  ] as const;
  for (const [toleration, holds] of cases)
    it(`${JSON.stringify(toleration)} ${holds ? 'bears' : 'does not bear'} k=v:NoExecute`, () => {
      expect(tolerates(toleration, taint)).to.equal(holds);
    });

  it('let a pod stay for as long as the least patient of them', () => {
    const all = { key: 'k', operator: 'Exists' };
    expect(stayMs([taint], [])).to.equal(0);
    expect(stayMs([taint], [all])).to.equal(undefined);
    expect(
      stayMs(
        [taint],
        [
          { ...all, tolerationSeconds: 30 },
          { ...all, tolerationSeconds: 5 },
        ],
      ),
    ).to.equal(5000);
    expect(stayMs([{ ...taint, effect: 'NoSchedule' }], [])).to.equal(undefined);
  });
});
