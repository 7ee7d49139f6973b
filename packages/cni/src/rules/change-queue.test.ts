import { expect } from 'chai';
import { ChangeQueue } from './change-queue.ts';

describe('ChangeQueue', () => {
  it('makes changes that come together, or while others are made, together and in their order', async () => {
    const batches: string[] = [];
    const first = Promise.withResolvers<void>();
    const queue = new ChangeQueue<string>(async (changes) => {
      batches.push(changes.join(' '));
      if (batches.length === 1) await first.promise;
    });
    const before = [queue.push('a'), queue.push('b')];
    await Promise.resolve();
    await Promise.resolve();
    const meanwhile = [queue.push('c'), queue.push('d')];
    first.resolve();
    await Promise.all([...before, ...meanwhile]);
    await queue.push('e');
    expect(batches).to.deep.equal(['a b', 'c d', 'e']);
  });

  it('makes the others when one cannot be made, and fails that one alone', async () => {
    const made: string[] = [];
    const queue = new ChangeQueue<string>((changes) => {
      if (changes.includes('bad')) return Promise.reject(new Error('bad'));
      made.push(...changes);
      return Promise.resolve();
    });
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((change) => queue.push(change)));
    expect(results.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    expect(made).to.deep.equal(['a', 'b']);
  });
});
