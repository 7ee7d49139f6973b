import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { pagePath } from '@ambient/runtime/docs';
import { settingsPage } from './print-docs.ts';

describe('docs/settings.md', () => {
  it('is what the schema says', () => {
    expect(readFileSync(pagePath(settingsPage), 'utf8'), 'run `npm run docs:settings`').equal(
      settingsPage.render(),
    );
  });
});
