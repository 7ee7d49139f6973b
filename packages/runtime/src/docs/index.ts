// Public surface of @ambient/runtime/docs: pages of docs/ that the source tree writes. For development; no process loads it.
export type { GeneratedPage } from './generated-page.ts';
export { markdownTable, pagePath, runPageCommand } from './generated-page.ts';
export { metricsTable } from './metrics-table.ts';
