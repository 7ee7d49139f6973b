import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pagePath } from '@ambient/runtime/docs';

import { metricsPage } from '../print-metrics.ts';
import { settingsPage } from './print-docs.ts';

for (const page of [settingsPage, metricsPage])
  describe(`docs/${page.name}`, () => {
    it('is what the source says', () => {
      expect(readFileSync(pagePath(page), 'utf8'), `run \`npm run ${page.script}\``).equal(page.render());
    });
  });
