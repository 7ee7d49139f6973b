import { renderSettingsTable } from '@ambient/runtime';
import type { GeneratedPage } from '@ambient/runtime/docs';
import { runPageCommand } from '@ambient/runtime/docs';
import { settingsSchemas } from './schema.ts';

const introduction = `# Settings of the node agent

<!-- Generated from packages/cni/src/agent/settings by \`npm run docs:cni-settings\`; do not edit. -->

The node agent is configured by its environment, with the names of Istio's where that has them. A value that cannot be used
stops the start with a message that names every such value; unknown variables are ignored. What a pod may say for itself is
in [cni.md](cni.md#a-pod-of-its-own-will).

Durations are written as in Go: \`250ms\`, \`10s\`, \`5m\`, \`1h30m\` (a bare number means seconds). Booleans are \`true\`,
\`false\`, \`1\`, \`0\`. An empty variable counts as unset, except where text is expected.
`;

/** The page `docs/cni-settings.md`. */
export const settingsPage: GeneratedPage = {
  name: 'cni-settings.md',
  script: 'docs:cni-settings',
  render: () => {
    const tables = settingsSchemas.map((schema) =>
      renderSettingsTable(schema as Parameters<typeof renderSettingsTable>[0]),
    );
    return [introduction, ...tables].join('\n');
  },
};

if (import.meta.main) runPageCommand(settingsPage);
