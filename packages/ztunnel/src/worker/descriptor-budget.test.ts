import { expect } from 'chai';
import { ProxyError } from '../connections/failure.ts';
import { DescriptorBudget } from './descriptor-budget.ts';
import type { PodBudget } from './descriptor-budget.ts';

/** Takes until nothing is left for the pod. @returns how many it got */
function takeAll(pod: PodBudget): number {
  let taken = 0;
  while (pod.take() === undefined) taken++;
  return taken;
}

describe('descriptors of pods in a worker', () => {
  it('a pod that takes all it can get leaves half', () => {
    const budget = new DescriptorBudget(1000);
    const greedy = budget.pod();
    expect(takeAll(greedy)).to.equal(500);
    expect(takeAll(budget.pod())).to.equal(250);
    expect(budget.free).to.equal(250);
  });

  it('two that take all they can get side by side leave a third', () => {
    const budget = new DescriptorBudget(999);
    const [one, two] = [budget.pod(), budget.pod()];
    for (let i = 0; i < 2000; i++) (i % 2 === 0 ? one : two).take();
    expect([one.held, two.held, budget.free]).to.deep.equal([333, 333, 333]);
  });

  it('what is given back can be taken again', () => {
    const pod = new DescriptorBudget(10).pod();
    expect(takeAll(pod)).to.equal(5);
    pod.giveBack();
    expect(pod.take()).to.equal(undefined);
    expect(pod.take()).to.not.equal(undefined);
  });

  it('says by a stable name why there is none', () => {
    const pod = new DescriptorBudget(0).pod();
    const refusal = pod.take();
    expect(refusal).instanceOf(ProxyError).property('code', 'pod-sockets-used-up');
    expect(pod.held).to.equal(0);
  });

  it('holds to the most of a pod that is set, whatever is free', () => {
    expect(takeAll(new DescriptorBudget(1000, 7).pod())).to.equal(7);
  });

  it('listeners are had in any case, count for all, and are free when the pod is gone', () => {
    const budget = new DescriptorBudget(8);
    const many = [budget.pod(), budget.pod()];
    for (const pod of many) pod.setAside(5);
    expect(budget.free).to.equal(-2);
    expect(many[0]!.take()).to.not.equal(undefined);
    for (const pod of many) pod.release();
    for (const pod of many) pod.release();
    expect(budget.free).to.equal(8);
  });
});
