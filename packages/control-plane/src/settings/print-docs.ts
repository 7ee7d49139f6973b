import { renderSettingsTable } from '@ambient/runtime';
import type { GeneratedPage } from '@ambient/runtime/docs';
import { runPageCommand } from '@ambient/runtime/docs';

import { settingsSchemas } from './schema.ts';

const introduction = `# Settings of the control plane

<!-- Generated from packages/control-plane/src/settings by \`npm run docs:control-plane-settings\`; do not edit. -->

The control plane is configured by its environment, with istiod's names where istiod has them; flags of the command line
(\`--help\`) go before it. A value that cannot be used stops the start with a message that names every such value; unknown
variables are ignored. What may change while it runs is in ConfigMap \`istio\`: [MeshConfig](mesh-config.md).

Durations are written as in Go: \`250ms\`, \`10s\`, \`5m\`, \`1h30m\` (a bare number means seconds). Booleans are \`true\`,
\`false\`, \`1\`, \`0\`. An empty variable counts as unset, except where text is expected.
`;

/** The page `docs/control-plane-settings.md`. */
export const settingsPage: GeneratedPage = {
  name: 'control-plane-settings.md',
  script: 'docs:control-plane-settings',
  render: () => {
    const tables = settingsSchemas.map((schema) =>
      renderSettingsTable(schema as Parameters<typeof renderSettingsTable>[0]),
    );
    return [introduction, ...tables].join('\n');
  },
};

if (import.meta.main) runPageCommand(settingsPage);
