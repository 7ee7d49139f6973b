import { expect } from 'chai';

import { EndedConnections } from './ended-connections.ts';
import type { EndedConnection } from './ended-connections.ts';

const connections = (...sources: string[]): EndedConnection[] =>
  sources.map((source) => ({ source }) as unknown as EndedConnection);
const sources = ({ connections: list }: ReturnType<EndedConnections['since']>): string[] =>
  list.map(({ source }) => source);

describe('EndedConnections', () => {
  it('gives each watcher every connection once', () => {
    const ended = new EndedConnections();
    ended.add(connections('a', 'b'));
    const first = ended.since(0);
    expect(sources(first)).to.deep.equal(['a', 'b']);
    ended.add(connections('c'));
    expect(sources(ended.since(first.last))).to.deep.equal(['c']);
    expect(sources(ended.since(0))).to.deep.equal(['a', 'b', 'c']);
    expect(sources(ended.since(ended.since(0).last))).to.deep.equal([]);
  });

  it('forgets the oldest of more than it keeps', () => {
    const ended = new EndedConnections();
    ended.add(connections(...Array.from({ length: 5000 }, (_, index) => String(index))));
    const { connections: kept, last } = ended.since(0);
    expect(kept).to.have.length(4096);
    expect(kept[0]!.source).to.equal('904');
    expect(last).to.equal(5000);
    ended.add(connections('new'));
    expect(sources(ended.since(last))).to.deep.equal(['new']);
  });
});
