import { expect } from 'chai';
import { settled, testLog } from '@ambient/kube/testing';
import type { KubeClient, KubeObject, KubeRequest } from '@ambient/kube';
import { ManualClock } from '@ambient/runtime';

import { EventRecorder } from './event-recorder.ts';

const about: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', uid: 'u' },
};
const notice = { type: 'Warning', reason: 'Failed', message: 'no' } as const;

function recorder(
  answer: () => Promise<unknown> = () => Promise.resolve({}),
  options: { readonly host?: string } = {},
): {
  events: EventRecorder;
  sent: KubeRequest[];
} {
  const sent: KubeRequest[] = [];
  const request = (each: KubeRequest): Promise<unknown> => {
    sent.push(each);
    return answer();
  };
  const client = { request } as unknown as Pick<KubeClient, 'request'>;
  return {
    events: new EventRecorder({ client, log: testLog(), clock: new ManualClock(), ...options }),
    sent,
  };
}

describe('EventRecorder', () => {
  it('counts the same notice up in one Event', async () => {
    const { events, sent } = recorder();
    for (let i = 0; i < 3; i++) events.record('test', about, notice);
    await settled(10);
    expect(sent.map(({ method }) => method)).to.deep.equal(['POST', 'PATCH', 'PATCH']);
    expect(sent.at(-1)?.body).to.include({ count: 3 });
  });

  it('says which node an Event is from, and no more than the API takes', async () => {
    const { events, sent } = recorder(undefined, { host: 'one' });
    events.record('kubelet', about, { ...notice, message: 'x'.repeat(5000) });
    await settled(10);
    expect(sent[0]?.path).to.equal('/api/v1/namespaces/shop/events');
    expect(sent[0]?.body).to.deep.include({
      source: { component: 'kubelet', host: 'one' },
      reportingInstance: 'one',
      message: 'x'.repeat(1024),
    });
  });

  it('does not flood: an object has so many different Events', async () => {
    const { events, sent } = recorder();
    for (let i = 0; i < 100; i++) events.record('test', about, { ...notice, message: String(i) });
    await settled(200);
    expect(sent).to.have.length(25);
  });

  it('goes on after one that the API refuses, and drops what waits when it is stopped', async () => {
    const { events, sent } = recorder(() => Promise.reject(new Error('refused')));
    events.record('test', about, notice);
    events.record('test', about, { ...notice, message: 'other' });
    await settled(10);
    expect(sent).to.have.length(2);
    events.record('test', about, notice);
    events.record('test', about, notice);
    await events.stop();
    expect(sent.length).to.be.at.most(3);
  });
});
