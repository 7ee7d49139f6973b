import { expect } from 'chai';

import { ApiError } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import { parseFieldSelector, parseLabelSelector, pinnedName } from './selectors.ts';

const labelled = (labels?: Record<string, string>): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n', ...(labels === undefined ? {} : { labels }) },
  spec: { nodeName: 'n1' },
  status: { phase: 'Running' },
});

describe('parseLabelSelector', () => {
  const cases: readonly [string, Record<string, string> | undefined, boolean][] = [
    ['a=b', { a: 'b' }, true],
    ['a == b', { a: 'c' }, false],
    ['a=b', undefined, false],
    ['a!=b', undefined, true],
    ['a!=b', { a: 'b' }, false],
    ['a in (b, c)', { a: 'c' }, true],
    ['a in (b,c)', undefined, false],
    ['a notin (b)', undefined, true],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['!a', {}, true],
    ['x.io/a=b,c in (d),!e', { 'x.io/a': 'b', c: 'd' }, true],
    ['x.io/a=b,c in (d),!e', { 'x.io/a': 'b', c: 'd', e: '' }, false],
    ['constructor', {}, false],
  ];
  for (const [selector, labels, matches] of cases)
    it(`${selector} ${matches ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () => {
      expect(parseLabelSelector(selector)!(labelled(labels))).to.equal(matches);
    });

  it('is undefined if it selects everything', () => {
    expect(parseLabelSelector(' ')).to.equal(undefined);
  });

  for (const selector of ['a=b c', 'a in b', '=b', 'a in (b'])
    it(`refuses ${selector}`, () => {
      expect(() => parseLabelSelector(selector)).to.throw(ApiError, selector);
    });
});

describe('parseFieldSelector', () => {
  it('compares fields that the resource can be selected by', () => {
    const pod = labelled();
    expect(parseFieldSelector('spec.nodeName=n1,status.phase!=Failed', 'pods.')!(pod)).to.equal(true);
    expect(parseFieldSelector('spec.nodeName=', 'pods.')!(pod)).to.equal(false);
    expect(parseFieldSelector('metadata.namespace==n', 'widgets.x')!(pod)).to.equal(true);
    expect(parseFieldSelector('spec.x=1', 'widgets.x', ['spec.x'])!(pod)).to.equal(false);
  });

  it('refuses others by name', () => {
    expect(() => parseFieldSelector('spec.x=1', 'pods.')).to.throw(
      ApiError,
      'field label not supported: spec.x',
    );
    expect(() => parseFieldSelector('spec.nodeName', 'pods.')).to.throw(ApiError, 'invalid field selector');
  });

  it('knows a name that is pinned', () => {
    expect(pinnedName('status.phase=x,metadata.name=p')).to.equal('p');
    expect(pinnedName('metadata.name!=p')).to.equal(undefined);
  });
});
