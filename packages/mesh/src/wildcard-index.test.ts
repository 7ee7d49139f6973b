import { expect } from 'chai';
import { WildcardIndex, isWildcard } from './wildcard-index.ts';

describe('WildcardIndex', () => {
  const indexOf = (...names: string[]): WildcardIndex<string> => {
    const index = new WildcardIndex<string>();
    for (const name of names) index.add(name, name);
    return index;
  };
  const first = (index: WildcardIndex<string>, name: string): string | undefined =>
    index.find(name, (values) => values[0]);

  it('covers one label and more, and not the name itself', () => {
    const index = indexOf('*.example.com');
    expect(first(index, 'a.example.com')).equal('*.example.com');
    expect(first(index, 'a.b.c.example.com')).equal('*.example.com');
    expect(first(index, '*.example.com')).equal('*.example.com');
    expect(first(index, 'example.com')).equal(undefined);
    expect(first(index, 'aexample.com')).equal(undefined);
    expect(first(index, 'com')).equal(undefined);
    expect(first(index, '')).equal(undefined);
  });

  it('asks the nearest wildcard first, and the next where it is not taken', () => {
    const index = indexOf('*.com', '*.b.example.com', '*.example.com');
    expect(first(index, 'a.b.example.com')).equal('*.b.example.com');
    expect(first(index, 'b.example.com')).equal('*.example.com');
    expect(first(index, 'other.com')).equal('*.com');
    const asked: string[] = [];
    index.find('a.b.example.com', (values) => {
      asked.push(...values);
      return undefined;
    });
    expect(asked).deep.equal(['*.b.example.com', '*.example.com', '*.com']);
  });

  it('forgets what is removed, and only that', () => {
    const index = new WildcardIndex<number>();
    index.add('*.example.com', 1);
    index.add('*.example.com', 2);
    index.add('*.a.example.com', 3);
    index.remove('*.example.com', 1);
    index.remove('*.example.com', 9);
    index.remove('*.unknown.org', 1);
    expect(index.find('x.example.com', (values) => [...values])).deep.equal([2]);
    index.remove('*.example.com', 2);
    expect(index.find('x.example.com', (values) => values[0])).equal(undefined);
    expect(index.find('x.a.example.com', (values) => values[0])).equal(3);
  });

  it('takes a bare `*` or `*.` for no wildcard', () => {
    expect(['*', '*.', '*.a', 'a.*.b', ''].map(isWildcard)).deep.equal([false, false, true, false, false]);
  });
});
