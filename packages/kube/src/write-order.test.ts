import { expect } from 'chai';

import { WriteOrder } from './write-order.ts';

/** Takes the next ones. */
function taken(order: WriteOrder, count: number, mayBe: (key: string) => boolean = () => true): string {
  const keys: string[] = [];
  for (let key = order.first(mayBe); key !== undefined && keys.length < count; key = order.first(mayBe)) {
    order.take(key);
    keys.push(key);
  }
  return keys.join(' ');
}

function orderOf(mostFresh: number, keys: string): WriteOrder {
  const order = new WriteOrder(mostFresh);
  for (const key of keys.split(' ')) order.add(key);
  return order;
}

describe('WriteOrder', () => {
  it('goes by age while little waits', () => {
    expect(taken(orderOf(5, 'a b c'), 9)).equal('a b c');
  });

  it('puts what came last before a crowd that came at once, and each of both oldest first', () => {
    const order = orderOf(2, 'a b c d e f');
    expect(order.size).equal(6);
    expect(taken(order, 9)).equal('e f a b c d');
  });

  it('gives every fourth turn to the crowd, whatever comes', () => {
    const order = orderOf(1, 'a b c');
    const keys: string[] = [];
    for (let i = 0; i < 8; i++) {
      keys.push(taken(order, 1));
      order.add(`${i}`);
    }
    expect(keys.join(' ')).equal('c 0 1 a 3 4 5 b');
  });

  it('brings one of the crowd forward that changes, and leaves one that is fresh in its place', () => {
    const order = orderOf(2, 'a b c d');
    order.add('a');
    expect(taken(order, 2)).equal('d a');
    expect(taken(orderOf(5, 'x y x'), 9)).equal('x y');
  });

  it('passes over those that have to wait', () => {
    const order = orderOf(2, 'a b c d');
    expect(taken(order, 9, (key) => key === 'b' || key === 'd')).equal('d b');
    expect(order.size).equal(2);
  });

  it('forgets what is removed, and all when it is cleared', () => {
    const order = orderOf(2, 'a b c d');
    order.remove('a');
    order.remove('d');
    expect(taken(order, 1)).equal('c');
    order.clear();
    expect([order.size, taken(order, 9)]).deep.equal([0, '']);
  });
});
