import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { KubeObject } from '@ambient/kube';
import { discoveryOf, readScenario } from './golden-cluster.test-data.ts';
import { goldenDifferences, intendedDiscovery } from './golden-differences.test-data.ts';

const scenarios = readdirSync(new URL('golden/scenarios', import.meta.url))
  .map((file) => file.replace(/\.yaml$/, ''))
  .sort();

/** Another order, the same for every run. */
function shuffled(objects: readonly KubeObject[], seed: number): KubeObject[] {
  const result = [...objects];
  let state = seed;
  for (let i = result.length - 1; i > 0; i--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const j = state % (i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

describe('recorded discovery', () => {
  for (const scenario of scenarios) {
    it(`${scenario}: the same resources, field by field`, () => {
      const actual = discoveryOf(readScenario(scenario));
      const expected = intendedDiscovery(scenario);
      expect(Object.keys(actual).sort(), 'names of resources').to.deep.equal(Object.keys(expected).sort());
      for (const name of Object.keys(expected)) expect(actual[name], name).to.deep.equal(expected[name]);
    });

    it(`${scenario}: in whatever order the objects come`, () => {
      const objects = readScenario(scenario);
      const expected = intendedDiscovery(scenario);
      for (const seed of [1, 2, 3]) expect(discoveryOf(shuffled(objects, seed))).to.deep.equal(expected);
    });
  }

  it('has no difference without a reason, and none that the recording does not have', () => {
    for (const { scenario, reason } of goldenDifferences) {
      expect(scenarios).to.include(scenario);
      expect(reason).to.match(/\w/);
    }
  });
});
