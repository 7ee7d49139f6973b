import { expect } from 'chai';
import { Readiness } from './readiness.ts';

describe('Readiness', () => {
  it('is ready with no blocker and names those that are left, oldest first', () => {
    const readiness = new Readiness();
    expect(readiness.describe()).equal('ready');
    const state = readiness.block('state manager');
    const proxy = readiness.block('proxy');
    expect(readiness.describe()).equal('not ready, pending: proxy, state manager');
    state[Symbol.dispose]();
    expect(readiness.pending).deep.equal(['proxy']);
    proxy[Symbol.dispose]();
    expect(readiness.ready).equal(true);
  });

  it('keeps a name until every part that added it has removed its own', () => {
    const readiness = new Readiness();
    const first = readiness.block('proxy');
    const second = readiness.block('proxy');
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(readiness.describe()).equal('not ready, pending: proxy');
    second[Symbol.dispose]();
    expect(readiness.ready).equal(true);
  });

  it('reports each change once', () => {
    const changes: boolean[] = [];
    const readiness = new Readiness((ready) => changes.push(ready));
    const a = readiness.block('a');
    const b = readiness.block('b');
    a[Symbol.dispose]();
    b[Symbol.dispose]();
    expect(changes).deep.equal([false, true]);
  });
});
