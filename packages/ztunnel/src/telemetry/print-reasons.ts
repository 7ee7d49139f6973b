import type { GeneratedPage } from '@ambient/runtime/docs';
import { markdownTable, runPageCommand } from '@ambient/runtime/docs';
import type { ReasonTable } from './reason-tables.ts';
import { reasonTables } from './reason-tables.ts';

const introduction = `# Reasons

<!-- Generated from the tables of reason codes by \`npm run docs:reasons\`; do not edit. -->

When ztunnel refuses a connection, or a connection fails, the access log says why in two fields: \`error\` is a sentence
for people and may change, \`reason\` is one of the codes below and does not. A code keeps its meaning for ever; new codes
may be added. Filter and alert on \`reason\`.

- \`connection complete\` with an \`error\`: the connection was counted in the metrics, and has failed there with the same
  cause in the label \`response_flags\`.
- \`connection failed\`: the connection was given up before its two ends were known. It is not in the metrics.

Both sides of a tunnel log. The side that decided has the exact reason; the other one sees a refusal (\`refused-401\` for
\`policy-denied\`), a TLS alert (\`refused-by-peer\`), a reset or the end of the connection.
`;

function section(table: ReasonTable, seen: Set<string>): string {
  const { title, rows, extra } = table;
  const head = ['reason', ...(extra === undefined ? [] : [extra.head]), 'meaning', 'likely remedy'];
  // A code that two layers share, with one meaning, is told once.
  const codes = Object.keys(rows).filter((code) => !seen.has(code));
  for (const code of codes) seen.add(code);
  const cells = codes.map((code) => {
    const { meaning, remedy } = rows[code]!;
    return [`\`${code}\``, ...(extra === undefined ? [] : [extra.cell(code)]), meaning, remedy];
  });
  return `## ${title}\n\n${table.introduction}\n\n${markdownTable(head, cells)}\n`;
}

/** The page `docs/reasons.md`. */
export const reasonsPage: GeneratedPage = {
  name: 'reasons.md',
  script: 'docs:reasons',
  render: () => {
    const seen = new Set<string>();
    return [introduction, ...reasonTables.map((table) => section(table as ReasonTable, seen))].join('\n');
  },
};

if (import.meta.main) runPageCommand(reasonsPage);
