import type { GeneratedPage } from '@ambient/runtime/docs';
import { metricsTable, runPageCommand } from '@ambient/runtime/docs';
import { agentMetrics } from './metrics.ts';

const introduction = `# Metrics of the node agent

<!-- Generated from packages/cni/src/agent/metrics.ts by \`npm run docs:cni-metrics\`; do not edit. -->

Served on port 15014 at \`/metrics\`, in the text format of Prometheus, to everybody.

- \`istio_cni_pods{state="pending"}\` above zero for longer than a minute: pods that should be captured are not; the log and an
  Event on each pod say why.
- \`istio_cni_rule_drift_total\` grows: somebody changes rules in pods. Meanwhile their traffic may pass by the mesh.
- \`ztunnel_connected\` is 0: no pod of the node can be captured, and captured ones that ztunnel has lost are without a network.
- \`istio_cni_install_ready\` is 0: pods start without being captured, and are captured late.
`;

/** The page `docs/cni-metrics.md`. */
export const metricsPage: GeneratedPage = {
  name: 'cni-metrics.md',
  script: 'docs:cni-metrics',
  render: () => `${introduction}\n${metricsTable(agentMetrics)}\n`,
};

if (import.meta.main) runPageCommand(metricsPage);
