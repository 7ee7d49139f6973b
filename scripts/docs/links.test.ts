import { expect } from 'chai';
import { deadLinks } from './links.ts';

const files: Record<string, string> = {
  'README.md': '# The mesh',
  'docs/ports.md': '# Ports\n## In a pod\n## In a `pod`: [twice](ports.md)\n```\n## not one\n```',
  'packages/hbone': '',
  'packages/hbone/src/pool.ts': '',
  'scripts/run.sh': '',
};

/** What is dead on a page of docs/ with this text, as `line: what`. */
function dead(text: string): string[] {
  return deadLinks('docs/page.md', {
    exists: (path) => path === 'docs/page.md' || path in files,
    read: (page) => (page === 'docs/page.md' ? text : (files[page] ?? '')),
    scripts: new Set(['check', 'check:docs']),
  }).map(({ line, what }) => `${line}: ${what}`);
}

describe('links of the pages', () => {
  it('lead to files, beside the page or above it', () => {
    expect(dead('[ports](ports.md), [start](../README.md)\n\n[gone](gone.md)')).to.deep.equal([
      '3: gone.md: there is no such file',
    ]);
  });

  it('lead to headings, also of the page itself', () => {
    expect(dead('# Here\n[a](#here) [b](ports.md#in-a-pod) [c](ports.md#in-a-pod-twice)')).to.deep.equal([]);
    expect(dead('[a](#here)\n[b](ports.md#not-one)')).to.deep.equal([
      '1: #here: docs/page.md has no such heading',
      '2: ports.md#not-one: docs/ports.md has no such heading',
    ]);
  });

  it('number the headings that are there more than once', () => {
    expect(dead('# Why\n# Why\n[second](#why-1)')).to.deep.equal([]);
    expect(dead('# Why\n# Why\n[third](#why-2)')).to.have.length(1);
  });

  it('are not asked of other sites, nor looked for in examples', () => {
    expect(dead('[rfc](https://www.rfc-editor.org/rfc/rfc9113)\n```\n[x](gone.md)\n```')).to.deep.equal([]);
  });
});

describe('paths and commands between backticks', () => {
  it('exist, those of packages with or without that folder', () => {
    expect(dead('`scripts/run.sh` `hbone/src/pool.ts` `packages/hbone/src/pool.ts`')).to.deep.equal([]);
    expect(dead('`scripts/gone.sh` `hbone/src/gone.ts`')).to.deep.equal([
      '1: scripts/gone.sh: there is no such path',
      '1: hbone/src/gone.ts: there is no such path',
    ]);
  });

  it('are told from what only looks alike', () => {
    expect(dead('`/debug/pprof` `app/src/main.ts` `istio.io/dataplane-mode` `test/*.ts`')).to.deep.equal([]);
  });

  it('are scripts of npm that there are', () => {
    expect(dead('`npm run check:docs -- --check` `npm run gone`')).to.deep.equal([
      '1: npm run gone: package.json has no such script',
    ]);
  });
});
