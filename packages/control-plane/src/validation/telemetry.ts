import { FieldReader, quote } from './field-reader.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { policyAttachment } from './selectors.ts';

const workloadModes = ['CLIENT_AND_SERVER', 'CLIENT', 'SERVER'] as const;

/** Checks of Telemetry, by the rules of Istio's API reference. */
export function validateTelemetry(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const spec = new FieldReader(object, '', problems).at('spec');
  policyAttachment(spec);
  for (const tracing of spec.at('tracing').items()) traces(tracing);
  for (const metrics of spec.at('metrics').items()) metricOverrides(metrics);
  for (const logging of spec.at('accessLogging').items()) {
    if (!logging.isObject()) continue;
    logging.at('match').at('mode').oneOf(workloadModes);
    providers(logging);
    logging.at('disabled').boolean();
    const filter = logging.at('filter');
    if (filter.isObject('optional')) filter.at('expression').required();
  }
  return problems.all;
}

function providers(field: FieldReader): void {
  for (const provider of field.at('providers').items())
    if (provider.isObject()) provider.at('name').required();
}

function traces(tracing: FieldReader): void {
  if (!tracing.isObject()) return;
  providers(tracing);
  if (tracing.at('providers').items().length > 1)
    tracing.at('providers').warning('only the first provider of traces is used');
  const sampling = tracing.at('randomSamplingPercentage');
  const share = sampling.number();
  if (share !== undefined && !(share >= 0 && share <= 100))
    sampling.error(`must be from 0 to 100, not ${share}`);
  for (const [name, tag] of tracing.at('customTags').entries()) {
    if (name === '') tag.error('a tag must have a name');
    if (!tag.isObject()) continue;
    const kind = tag.choice(['literal', 'environment', 'header', 'formatter'], 'one');
    if (kind === 'literal') tag.at('literal').at('value').required();
    if (kind === 'environment' || kind === 'header') tag.at(kind).at('name').required();
  }
}

function metricOverrides(metrics: FieldReader): void {
  if (!metrics.isObject()) return;
  providers(metrics);
  for (const override of metrics.at('overrides').items()) {
    if (!override.isObject()) continue;
    const match = override.at('match');
    match.at('mode').oneOf(workloadModes);
    match.choice(['metric', 'customMetric'], 'at most one');
    for (const [name, tag] of override.at('tagOverrides').entries()) {
      if (name === '') tag.error('a tag must have a name');
      if (!tag.isObject()) continue;
      const operation = tag.at('operation').oneOf(['UPSERT', 'REMOVE'] as const) ?? 'UPSERT';
      const value = tag.at('value').string() ?? '';
      if (operation === 'UPSERT' && value === '') tag.at('value').error('must be set for UPSERT');
      if (operation === 'REMOVE' && value !== '')
        tag.at('value').error(`${quote(value)}: REMOVE takes no value`);
    }
  }
}
