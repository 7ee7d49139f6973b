import { expect } from 'chai';
import { ManualClock } from '../clock/manual-clock.ts';
import { Drain } from './drain.ts';

function setup() {
  const clock = new ManualClock(0);
  const drain = new Drain(clock);
  const calls: string[] = [];
  const watch = (name: string) =>
    drain.watch({
      onDrain: (deadlineAtMs) => calls.push(`${name} drain until ${deadlineAtMs}`),
      onForce: () => calls.push(`${name} force`),
    });
  return { clock, drain, calls, watch };
}

describe('Drain', () => {
  it('ends clean when every watcher is done, and leaves no timer', async () => {
    const { clock, drain, calls, watch } = setup();
    const inbound = watch('inbound');
    const outbound = watch('outbound');
    drain.trigger(5000);
    expect(calls).deep.equal(['inbound drain until 5000', 'outbound drain until 5000']);
    inbound.done();
    inbound.done();
    expect(drain.phase).equal('draining');
    outbound.done();
    expect(await drain.finished).equal('clean');
    expect(clock.pendingTimers).equal(0);
  });

  it('forces those that are left at the deadline', async () => {
    const { clock, drain, calls, watch } = setup();
    watch('inbound').done();
    watch('outbound');
    drain.trigger(5000);
    clock.advance(4999);
    expect(drain.phase).equal('draining');
    clock.advance(1);
    expect(calls).deep.equal(['outbound drain until 5000', 'outbound force']);
    expect(await drain.finished).equal('forced');
  });

  it('forces at once with a deadline of 0', async () => {
    const { drain, calls, watch } = setup();
    watch('pod');
    drain.trigger(0);
    expect(calls).deep.equal(['pod force']);
    expect(await drain.finished).equal('forced');
  });

  it('ends at once if nothing is watched', async () => {
    const { drain } = setup();
    drain.trigger(5000);
    expect(await drain.finished).equal('clean');
  });

  it('lets a second trigger bring the deadline nearer, never put it off', () => {
    const { clock, drain, calls, watch } = setup();
    watch('inbound');
    drain.trigger(5000);
    drain.trigger(9000);
    drain.trigger(1000);
    clock.advance(1000);
    expect(calls).deep.equal(['inbound drain until 5000', 'inbound force']);
    expect(clock.pendingTimers).equal(0);
  });

  it('tells a watcher that comes late what it has missed', () => {
    const { drain, calls, watch } = setup();
    watch('early');
    drain.trigger(5000);
    watch('late');
    drain.force();
    watch('too late').done();
    expect(calls).deep.equal([
      'early drain until 5000',
      'late drain until 5000',
      'early force',
      'late force',
      'too late force',
    ]);
  });

  it('is not ended by watchers that leave before it starts', () => {
    const { drain, watch } = setup();
    watch('short-lived').done();
    expect(drain.phase).equal('running');
  });
});
