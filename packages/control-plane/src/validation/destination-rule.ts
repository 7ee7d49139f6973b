import { FieldReader, quote } from './field-reader.ts';
import { exportTo, host, labels } from './field-values.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { subsetName } from './route-destination.ts';
import { selectorLabel } from './selectors.ts';
import { trafficPolicy } from './traffic-policy.ts';

/** Checks of DestinationRule, by the rules of Istio's API reference. */
export function validateDestinationRule(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const rule = new FieldReader(object, '', problems);
  const spec = rule.at('spec');
  if (!spec.isObject()) return problems.all;
  host(spec.at('host'), 'any');
  trafficPolicy(spec.at('trafficPolicy'));
  const names = new Set<string>();
  for (const subset of spec.at('subsets').items()) {
    if (!subset.isObject()) continue;
    const name = subset.at('name').required();
    if (name !== undefined) {
      subsetName(subset.at('name'), name);
      if (names.has(name)) subset.at('name').error(`the subset ${quote(name)} stands there twice`);
      names.add(name);
    }
    labels(subset.at('labels'));
    trafficPolicy(subset.at('trafficPolicy'));
  }
  const selector = spec.at('workloadSelector');
  for (const [key, value] of selector.at('matchLabels').entries()) selectorLabel(key, value);
  if (selector.present) selector.warning('is for sidecars: waypoints ignore a DestinationRule that has one');
  exportTo(spec.at('exportTo'), rule.at('metadata').at('namespace').string() ?? '');
  return problems.all;
}
