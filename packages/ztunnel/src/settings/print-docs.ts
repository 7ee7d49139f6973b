import { renderSettingsTable } from '@ambient/runtime';
import type { GeneratedPage } from '@ambient/runtime/docs';
import { runPageCommand } from '@ambient/runtime/docs';
import { meshConfigPath } from './proxy-config.ts';
import { settingsSchemas } from './schema.ts';
import { standardPorts } from './types.ts';

const introduction = `# Settings of ztunnel

<!-- Generated from packages/ztunnel/src/settings by \`npm run docs:settings\`; do not edit. -->

ztunnel is configured by its environment, with the names of Istio's ztunnel. A value that cannot be used stops the start
with a message that names every such value; unknown variables are ignored.

Durations are written as in Go: \`250ms\`, \`10s\`, \`5m\`, \`1h30m\` (a bare number means seconds); what Istio's ztunnel
takes beyond that is taken too: \`1w\`, \`5 min\`, \`1m+30\`, \`1m*10\`. Booleans are \`true\`, \`false\`, \`1\`, \`0\`. Bytes are
a number, or have a suffix: \`64Ki\`, \`4Mi\`. An empty variable counts as unset, except where text is expected.
`;

const collected = `## Collected by prefix

| Variables | Meaning |
| --- | --- |
| \`ISTIO_META_X\` | Metadata \`X\` of the proxy, told to the control plane. \`ISTIO_META_DNS_CAPTURE\` (\`true\` unless set) turns DNS on or off, \`ISTIO_META_DNS_PROXY_ADDR\` (\`localhost:${standardPorts.dns}\`) says where it listens. |
| \`ISTIO_METAJSON_X\` | The same, as JSON. |
| \`XDS_HEADER_X\` | Header \`x\` on every call to the control plane. |
| \`CA_HEADER_X\` | Header \`x\` on every call to the CA. |

## Proxy config

\`PROXY_CONFIG\` holds YAML, laid over \`defaultConfig\` of the mesh config in \`${meshConfigPath}\`. Variables win over both.

| Key | Default | Meaning |
| --- | --- | --- |
| \`discoveryAddress\` | see \`XDS_ADDRESS\` | Control plane. |
| \`proxyAdminPort\` | \`${standardPorts.admin}\` | Port of the admin endpoints, on loopback. |
| \`statsPort\` | \`${standardPorts.stats}\` | Port of \`/metrics\` and \`/stats/prometheus\`. |
| \`concurrency\` | see \`ZTUNNEL_WORKER_THREADS\` | Data workers; 0: one per CPU. |
| \`proxyMetadata\` | empty | As \`ISTIO_META_\` variables, with or without that prefix. |

## Ports

Fixed, as redirection rules and charts expect them: outbound ${standardPorts.outbound}, inbound plaintext
${standardPorts.inboundPlaintext}, HBONE ${standardPorts.inboundHbone}, DNS ${standardPorts.dns}, readiness
${standardPorts.readiness}.
`;

/** The page `docs/settings.md`. */
export const settingsPage: GeneratedPage = {
  name: 'settings.md',
  script: 'docs:settings',
  render: () => {
    const tables = settingsSchemas.map((schema) =>
      renderSettingsTable(schema as Parameters<typeof renderSettingsTable>[0]),
    );
    return [introduction, ...tables, collected].join('\n');
  },
};

if (import.meta.main) runPageCommand(settingsPage);
