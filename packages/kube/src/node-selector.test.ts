import { expect } from 'chai';

import { matchesNodeSelection, matchesNodeSelectorTerm } from './node-selector.ts';
import type { NodeSelectorTerm } from './node-selector.ts';
import type { LabelSelectorRequirement, ObjectMeta } from './objects.ts';

const metadata: ObjectMeta = { name: 'one', uid: 'u', labels: { zone: 'a', cores: '8' } };
const node = { metadata };

function selected(requirement: LabelSelectorRequirement, where: keyof NodeSelectorTerm): boolean {
  return matchesNodeSelectorTerm({ [where]: [requirement] }, node);
}

describe('the choice of nodes', () => {
  it('is free for a pod that says nothing', () => {
    expect(matchesNodeSelection(undefined, node)).equal(true);
    expect(matchesNodeSelection({}, node)).equal(true);
  });

  it('takes a nodeSelector that holds in full, and one of the terms of the affinity', () => {
    const affinityTo = (...nodeSelectorTerms: NodeSelectorTerm[]): object => ({
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    });
    const zoneA: NodeSelectorTerm = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] };
    const zoneB: NodeSelectorTerm = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] };
    expect(matchesNodeSelection({ nodeSelector: { zone: 'a', cores: '8' } }, node)).equal(true);
    expect(matchesNodeSelection({ nodeSelector: { zone: 'a', cores: '4' } }, node)).equal(false);
    expect(matchesNodeSelection({ affinity: affinityTo(zoneB, zoneA) }, node)).equal(true);
    expect(matchesNodeSelection({ affinity: affinityTo(zoneB) }, node)).equal(false);
    expect(matchesNodeSelection({ affinity: affinityTo() }, node)).equal(false);
    expect(matchesNodeSelection({ nodeSelector: { zone: 'b' }, affinity: affinityTo(zoneA) }, node)).equal(
      false,
    );
  });

  it('compares integers by Gt and Lt', () => {
    const cores = (operator: string, value: string): boolean =>
      selected({ key: 'cores', operator, values: [value] }, 'matchExpressions');
    expect([cores('Gt', '4'), cores('Gt', '8'), cores('Lt', '10'), cores('Lt', '8')]).deep.equal([
      true,
      false,
      true,
      false,
    ]);
    expect(cores('Gt', 'many')).equal(false);
    expect(selected({ key: 'gpus', operator: 'Lt', values: ['1'] }, 'matchExpressions')).equal(false);
  });

  it('knows a node by its name, and by no other field', () => {
    expect(selected({ key: 'metadata.name', operator: 'In', values: ['one'] }, 'matchFields')).equal(true);
    expect(selected({ key: 'metadata.name', operator: 'NotIn', values: ['one'] }, 'matchFields')).equal(
      false,
    );
    expect(selected({ key: 'metadata.uid', operator: 'Exists' }, 'matchFields')).equal(false);
  });

  it('matches nothing by an empty term, an unknown operator, or a label that only every object has', () => {
    expect(matchesNodeSelectorTerm({}, node)).equal(false);
    expect(selected({ key: 'zone', operator: 'Like', values: ['a'] }, 'matchExpressions')).equal(false);
    expect(selected({ key: 'constructor', operator: 'Exists' }, 'matchExpressions')).equal(false);
    expect(matchesNodeSelection({ nodeSelector: { toString: 'x' } }, node)).equal(false);
  });
});
