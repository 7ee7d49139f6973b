import type { MetricDefinition } from '../metrics/definition.ts';
import { markdownTable } from './generated-page.ts';

/** A table of metrics. @param labelsOf another description of the labels; undefined: the usual one */
export function metricsTable(
  definitions: readonly MetricDefinition[],
  labelsOf: (definition: MetricDefinition) => string | undefined = () => undefined,
): string {
  const rows = definitions.map((definition) => [
    `\`${definition.name}\``,
    describeType(definition),
    labelsOf(definition) ?? describeLabels(definition),
    definition.help,
  ]);
  return markdownTable(['Metric', 'Type', 'Labels', 'Meaning'], rows);
}

function describeLabels({ labels, boundedLabels = [] }: MetricDefinition): string {
  return labels.map((label) => `\`${label}\`${boundedLabels.includes(label) ? ' (bounded)' : ''}`).join(', ');
}

function describeType({ type, buckets = [] }: MetricDefinition): string {
  return type === 'histogram' ? `histogram (${buckets.join(', ')})` : type;
}
