import type { GeneratedPage } from '@ambient/runtime/docs';
import { metricsTable, runPageCommand } from '@ambient/runtime/docs';

import { controlPlaneMetrics } from './metrics.ts';

const introduction = `# Metrics of the control plane

<!-- Generated from packages/control-plane/src/metrics.ts by \`npm run docs:control-plane-metrics\`; do not edit. -->

Served on port 15014 at \`/metrics\`, in the text format of Prometheus, to everybody. Names are istiod's where it counts the
same. \`type\` is \`wds\` for workloads and services, \`authz\` for policies.

A metric has a limited number of series; further ones are counted under the value \`overflow\`.

- \`pilot_proxy_convergence_time\` is what users wait for: alert on its 99th percentile.
- \`pilot_total_xds_rejects\` above zero: \`/debug/syncz\` names the proxy and says why.
- \`ca_material_unusable\` is 1: somebody has to look at \`cacerts\` or \`istio-ca-secret\`; the log names the file.
- \`sum(pilot_leader)\` is 1 over all replicas, or 0 for some seconds after a leader has died.
`;

/** The page `docs/control-plane-metrics.md`. */
export const metricsPage: GeneratedPage = {
  name: 'control-plane-metrics.md',
  script: 'docs:control-plane-metrics',
  render: () => `${introduction}\n${metricsTable(controlPlaneMetrics)}\n`,
};

if (import.meta.main) runPageCommand(metricsPage);
