import { expect } from 'chai';

import { ManualClock } from '@ambient/runtime';

import type { Probe } from '../../objects/pod.ts';
import { ContainerProbes } from './container-probes.ts';
import { ProbeTally } from './probe-tally.ts';

/** Lets promises settle. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function probed(probes: { startup?: Probe; liveness?: Probe; readiness?: Probe }): {
  said: string[];
  healthy: { value: boolean };
  pass: (ms: number) => Promise<void>;
  end: () => void;
} {
  const clock = new ManualClock();
  const said: string[] = [];
  const healthy = { value: true };
  const running = new ContainerProbes({
    startup: probes.startup,
    liveness: probes.liveness,
    readiness: probes.readiness,
    clock,
    send: () => Promise.resolve({ success: healthy.value, message: '' }),
    onStarted: () => said.push('started'),
    onReady: (ready) => said.push(ready ? 'ready' : 'not ready'),
    onFatal: (kind) => said.push(`${kind} failed`),
    onFailure: () => undefined,
  });
  running.start();
  return {
    said,
    healthy,
    pass: async (ms) => {
      for (let passed = 0; passed < ms; passed += 1000) {
        clock.advance(1000);
        await settle();
      }
    },
    end: () => running[Symbol.dispose](),
  };
}

const probe: Probe = { periodSeconds: 1, failureThreshold: 2, exec: { command: [] } };

describe('probes of a container', () => {
  it('count results in a row', () => {
    const tally = new ProbeTally({ success: 2, failure: 3 });
    const results = [true, true, false, false, true, false, false, false].map((each) => tally.add(each));
    expect(results).to.deep.equal([
      undefined,
      'passed',
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      'failed',
    ]);
  });

  it('are not needed to be ready', () => {
    expect(probed({}).said).to.deep.equal(['started', 'ready']);
  });

  it('of readiness and liveness wait for that of the start', async () => {
    const { said, healthy, pass } = probed({
      startup: { ...probe, failureThreshold: 100 },
      liveness: probe,
      readiness: probe,
    });
    healthy.value = false;
    await pass(10_000);
    expect(said).to.deep.equal([]);
    healthy.value = true;
    await pass(3000);
    expect(said.slice(0, 2)).to.deep.equal(['started', 'ready']);
  });

  it('of the start that fail for good end the container', async () => {
    const { said, healthy, pass } = probed({ startup: probe });
    healthy.value = false;
    await pass(5000);
    expect(said).to.deep.equal(['startup failed']);
  });

  it('find out soon that a container is well, without counting what failed before', async () => {
    const { said, healthy, pass } = probed({
      startup: { ...probe, periodSeconds: 10, failureThreshold: 2 },
      readiness: { ...probe, periodSeconds: 10 },
    });
    healthy.value = false;
    await pass(9000);
    healthy.value = true;
    await pass(2000);
    expect(said).to.deep.equal(['started', 'ready']);
    healthy.value = false;
    await pass(8000);
    expect(said, 'once it was ready, the period counts').to.have.length(2);
    await pass(14_000);
    expect(said.at(-1)).to.equal('not ready');
  });

  it('of the start give up after the same time as with a kubelet', async () => {
    const { said, healthy, pass } = probed({ startup: { ...probe, periodSeconds: 10, failureThreshold: 2 } });
    healthy.value = false;
    await pass(9000);
    expect(said).to.deep.equal([]);
    await pass(3000);
    expect(said).to.deep.equal(['startup failed']);
  });

  it('begin after their delay, and end with the container', async () => {
    const { said, healthy, pass, end } = probed({ liveness: { ...probe, initialDelaySeconds: 5 } });
    healthy.value = false;
    await pass(4000);
    expect(said).to.deep.equal(['started', 'ready']);
    await pass(1000);
    end();
    await pass(5000);
    expect(said).to.deep.equal(['started', 'ready']);
  });
});
