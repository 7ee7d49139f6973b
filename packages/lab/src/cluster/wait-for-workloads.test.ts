import type { KubeRequest } from '@ambient/kube';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { LabStartError } from './lab-start-error.ts';
import { waitForWorkloads } from './wait-for-workloads.ts';
import type { WorkloadName } from './wait-for-workloads.ts';

const web: WorkloadName = { kind: 'Deployment', namespace: 'shop', name: 'web' };
const agent: WorkloadName = { kind: 'DaemonSet', namespace: 'system', name: 'agent' };
const webPath = '/apis/apps/v1/namespaces/shop/deployments/web';
const agentPath = '/apis/apps/v1/namespaces/system/daemonsets/agent';
const selector = { matchLabels: { app: 'web' } };

function waiting(workloads: readonly WorkloadName[], answers: Record<string, unknown>) {
  const clock = new ManualClock();
  const pending: string[] = [];
  const done = waitForWorkloads(workloads, {
    client: { request: <T>({ path }: KubeRequest) => Promise.resolve(answers[path] as T) },
    clock,
    onPending: (text) => pending.push(text),
    lastWords: (namespace, pod, container) => `${namespace}/${pod} ${container} is out of order`,
  });
  let over = false;
  done.then(
    () => (over = true),
    () => (over = true),
  );
  /** Looks until it is over, or so many times. */
  const look = async (times: number): Promise<boolean> => {
    for (let time = 0; time < times && !over; time++) {
      clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return over;
  };
  return { done, pending, look };
}

const warning = (pod: string, lastTimestamp: string, message: string): object => ({
  ...{ type: 'Warning', lastTimestamp, message },
  involvedObject: { name: pod },
});

describe('waiting for workloads', () => {
  it('goes on until all are of the newest revision and ready, and tells which are missing', async () => {
    const answers: Record<string, unknown> = {
      [webPath]: { metadata: { generation: 2 }, spec: { replicas: 2, selector } },
      [agentPath]: { metadata: {}, spec: { selector }, status: { desiredNumberScheduled: 0 } },
    };
    const { done, pending, look } = waiting([web, agent], answers);
    expect(await look(3)).to.equal(false);
    answers[agentPath] = {
      metadata: {},
      spec: { selector },
      status: { desiredNumberScheduled: 2, numberAvailable: 2, updatedNumberScheduled: 2 },
    };
    const ready = { availableReplicas: 2, updatedReplicas: 2 };
    answers[webPath] = {
      metadata: { generation: 2 },
      spec: { replicas: 2, selector },
      status: { observedGeneration: 1, ...ready },
    };
    expect(await look(3), 'what it is ready of is an earlier revision').to.equal(false);
    answers[webPath] = {
      metadata: { generation: 2 },
      spec: { replicas: 2, selector },
      status: { observedGeneration: 2, ...ready },
    };
    expect(await look(3)).to.equal(true);
    await done;
    expect(pending).to.deep.equal(['waiting for web, agent', 'waiting for web']);
  });

  it('ends with what the pods say', async () => {
    const answers = {
      [webPath]: { metadata: {}, spec: { selector } },
      '/api/v1/namespaces/shop/pods': {
        items: [
          {
            metadata: { name: 'web-1' },
            status: {
              phase: 'Running',
              containerStatuses: [
                { name: 'fine', ready: true, restartCount: 0 },
                {
                  name: 'server',
                  ready: false,
                  restartCount: 3,
                  state: { waiting: { reason: 'CrashLoopBackOff' } },
                },
              ],
            },
          },
          { metadata: { name: 'web-2' }, status: { phase: 'Pending' } },
        ],
      },
      '/api/v1/namespaces/shop/events': {
        items: [
          warning('web-2', '2026-01-01T00:00:02Z', 'no plugin'),
          warning('web-2', '2026-01-01T00:00:01Z', 'no image'),
          { ...warning('web-2', '2026-01-01T00:00:03Z', 'it was scheduled'), type: 'Normal' },
        ],
      },
    };
    const { done, look } = waiting([web], answers);
    expect(await look(1300)).to.equal(true);
    const failure = await done.catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(LabStartError);
    expect((failure as Error).message).to.equal(
      'not ready after 120 s: Deployment shop/web: pod web-1 is Running server: CrashLoopBackOff, 3 restarts, its last words: shop/web-1 server is out of order, pod web-2 is Pending, its last warning: no plugin',
    );
  });
});
