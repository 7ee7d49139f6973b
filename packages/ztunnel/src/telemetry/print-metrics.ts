import type { GeneratedPage } from '@ambient/runtime/docs';
import { markdownTable, metricsTable, runPageCommand } from '@ambient/runtime/docs';
import { responseFlags } from './connection-labels.ts';
import { connectionLabelNames, metricDefinitions } from './metric-definitions.ts';

const introduction = `# Metrics of ztunnel

<!-- Generated from packages/ztunnel/src/telemetry by \`npm run docs:metrics\`; do not edit. -->

Served on port 15020 at \`/metrics\` and \`/stats/prometheus\`, in the text format of Prometheus. Names and labels are those of
Istio's ztunnel, so that its dashboards and alerts go on working. A label whose value is not known says \`unknown\`.

A metric has a limited number of series. When it is reached, further series are counted under the value \`overflow\`, and
the log says so once; bounded labels keep their value even then, so that sums per value stay right. Series of connections
go when a workload that they name is gone, after they were served once more.

The DNS metrics and those of \`workload_manager\` exist from the start, and stay at 0 or absent where the part that counts
them is not there or not in use ([limits](limits.md)).
`;

function flagList(): string {
  const rows = Object.entries(responseFlags).map(([flag, meaning]) => [`\`${flag}\``, meaning]);
  return `## Values of \`response_flags\`

${markdownTable(['Value', 'Meaning'], rows)}

The field \`reason\` of the access log is more exact: see [reasons](reasons.md).
`;
}

function connectionLabelList(): string {
  const connection = metricDefinitions.find(({ labels }) => labels === connectionLabelNames);
  const bounded = connection?.boundedLabels ?? [];
  const names = connectionLabelNames.map(
    (name) => `- \`${name}\`${bounded.includes(name) ? ' (bounded)' : ''}`,
  );
  return `## Labels of a connection

\`destination\` is the next hop: the workload itself, or its waypoint or gateway. \`reporter\` is \`source\` where the client's
proxy counts, and \`destination\` where the server's does; a connection inside the mesh is counted by both.

${names.join('\n')}
`;
}

/** The page `docs/metrics.md`. */
export const metricsPage: GeneratedPage = {
  name: 'metrics.md',
  script: 'docs:metrics',
  render: () => {
    const table = metricsTable(metricDefinitions, ({ labels }) =>
      labels === connectionLabelNames ? 'those of a connection' : undefined,
    );
    return [introduction, `${table}\n`, connectionLabelList(), flagList()].join('\n');
  },
};

if (import.meta.main) runPageCommand(metricsPage);
