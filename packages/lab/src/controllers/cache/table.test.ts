import { expect } from 'chai';

import type { Pod } from '../objects.ts';
import { Table } from './table.ts';

function pod(name: string, resourceVersion: string, labels: Record<string, string> = {}, uid = name): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'a', uid, resourceVersion, labels } };
}

function makeTable(): Table<Pod, 'app'> {
  return new Table<Pod, 'app'>({ app: ({ metadata }) => [metadata.labels?.['app'] ?? ''] });
}

describe('Table', () => {
  it('finds objects by an index, also after they changed', () => {
    const table = makeTable();
    table.put('a/x', pod('x', '1', { app: 'one' }));
    table.put('a/x', pod('x', '2', { app: 'two' }));
    expect([...table.by('app', 'one')]).to.have.length(0);
    expect([...table.by('app', 'two')].map(({ metadata }) => metadata.name)).to.deep.equal(['x']);
    table.remove('a/x');
    expect([...table.by('app', 'two')]).to.have.length(0);
  });

  it('knows the answer to an own write before the watch tells of it, once', () => {
    const table = makeTable();
    table.followedBy(() => '5');
    const heard: string[] = [];
    table.listen((now) => heard.push(now?.metadata.resourceVersion ?? 'gone'));
    table.learn(pod('x', '6'));
    table.put('a/x', pod('x', '6'));
    table.put('a/x', pod('x', '10'));
    expect(heard).to.deep.equal(['6', '10']);
  });

  it('does not bring back what the watch has seen the end of', () => {
    const table = makeTable();
    table.followedBy(() => '8');
    table.learn(pod('x', '6'));
    expect(table.size).to.equal(0);
  });

  it('keeps to an own deletion though older changes are still told', () => {
    const table = makeTable();
    table.put('a/x', pod('x', '6'));
    table.learnDeletion(pod('x', '7'), '2026-01-01T00:00:00Z');
    table.put('a/x', pod('x', '7'));
    expect(table.get('a/x')?.metadata.deletionTimestamp).to.equal('2026-01-01T00:00:00Z');
  });

  it('takes an object of the same name but another uid for another one', () => {
    const table = makeTable();
    table.put('a/x', pod('x', '6'));
    table.put('a/x', pod('x', '5', {}, 'other'));
    expect(table.get('a/x')?.metadata.uid).to.equal('other');
  });
});
