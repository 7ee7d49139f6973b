import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { responseFlags } from './connection-labels.ts';
import { pagePath } from '@ambient/runtime/docs';
import { connectionLabelNames, metricDefinitions } from './metric-definitions.ts';
import { metricsPage } from './print-metrics.ts';

describe('docs/metrics.md', () => {
  it('is what the definitions say', () => {
    expect(readFileSync(pagePath(metricsPage), 'utf8'), 'run `npm run docs:metrics`').equal(
      metricsPage.render(),
    );
  });

  it('has every metric, label and response flag', () => {
    const page = metricsPage.render();
    for (const { name } of metricDefinitions) expect(page).to.include(`| \`${name}\` `);
    for (const name of connectionLabelNames) expect(page).to.match(new RegExp(`^- \`${name}\``, 'm'));
    for (const flag of Object.keys(responseFlags)) expect(page).to.include(`| \`${flag}\` `);
  });
});
