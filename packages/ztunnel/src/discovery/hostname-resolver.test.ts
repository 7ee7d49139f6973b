import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { HostnameResolver, systemLookup } from './hostname-resolver.ts';
import type { ResolvedName } from './hostname-resolver.ts';

function setup() {
  const clock = new ManualClock(0);
  const asked: string[] = [];
  const results = new Map<string, Promise<readonly string[]>>();
  const resolver = new HostnameResolver((hostname) => {
    asked.push(hostname);
    return results.get(hostname) ?? Promise.reject(new Error('ENOTFOUND'));
  }, clock);
  const resolve = (hostname: string): Promise<ResolvedName> =>
    new Promise((done) => resolver.resolve(hostname, done));
  return { clock, asked, results, resolver, resolve };
}

describe('HostnameResolver', () => {
  it('asks once for all who ask together, and once more after five seconds', async () => {
    const { clock, asked, results, resolve } = setup();
    results.set('db.example', Promise.resolve(['10.0.0.1', '::1']));
    const both = await Promise.all([resolve('db.example'), resolve('db.example')]);
    expect(both).deep.equal([{ addresses: ['10.0.0.1', '::1'] }, { addresses: ['10.0.0.1', '::1'] }]);
    clock.advance(4999);
    await resolve('db.example');
    expect(asked).deep.equal(['db.example']);
    clock.advance(1);
    await resolve('db.example');
    expect(asked).deep.equal(['db.example', 'db.example']);
  });

  it('tells why a name does not resolve, and keeps that as long', async () => {
    const { asked, resolve } = setup();
    expect(await resolve('none')).deep.equal({ addresses: [], error: 'ENOTFOUND' });
    await resolve('none');
    expect(asked).deep.equal(['none']);
  });

  it('keeps a bounded number of names, forgetting the oldest', async () => {
    const { asked, resolve } = setup();
    for (let n = 0; n <= 1024; n++) await resolve(`h${n}`);
    await resolve('h1024');
    await resolve('h0');
    expect([asked.length, asked.at(-1)]).deep.equal([1026, 'h0']);
  });

  it('asks the system', async () => {
    expect(await systemLookup(false)('127.0.0.1')).deep.equal(['127.0.0.1']);
  });
});
