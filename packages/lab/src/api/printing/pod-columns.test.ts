import { expect } from 'chai';

import type { ApiObject } from '../object.ts';
import { podReady, podRestarts, podStatus } from './pod-columns.ts';

function pod(spec: object, status: object, metadata: object = {}): ApiObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, spec, status };
}

const exit = (exitCode: number, reason?: string): object => ({ state: { terminated: { exitCode, reason } } });
const running = { state: { running: {} }, ready: true, started: true };
const waiting = (reason: string): object => ({ state: { waiting: { reason } } });
const one = { containers: [{ name: 'c' }] };
const withInit = { ...one, initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }] };

describe('the state of a pod as kubectl shows it', () => {
  const cases: readonly [string, ApiObject][] = [
    ['Running', pod(one, { phase: 'Running', containerStatuses: [running] })],
    ['CrashLoopBackOff', pod(one, { phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff')] })],
    ['Completed', pod(one, { phase: 'Succeeded', containerStatuses: [exit(0, 'Completed')] })],
    ['ExitCode:3', pod(one, { phase: 'Failed', containerStatuses: [exit(3)] })],
    ['Init:0/2', pod(withInit, { phase: 'Pending', initContainerStatuses: [{ name: 'i', ...running }] })],
    [
      'Init:Error',
      pod(withInit, { phase: 'Pending', initContainerStatuses: [{ name: 'i', ...exit(1, 'Error') }] }),
    ],
    [
      'PodInitializing',
      pod(withInit, {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', ...exit(0) },
          { name: 's', ...running },
        ],
        containerStatuses: [waiting('PodInitializing')],
      }),
    ],
    ['Terminating', pod(one, { phase: 'Running', containerStatuses: [running] }, { deletionTimestamp: 'x' })],
    ['Evicted', pod(one, { phase: 'Failed', reason: 'Evicted' })],
  ];
  for (const [word, each] of cases)
    it(`is ${word}`, () => {
      expect(podStatus(each)).to.equal(word);
    });

  it('counts sidecars among the containers', () => {
    const statuses = [
      { name: 'i', ...exit(0) },
      { name: 's', ...running },
    ];
    expect(
      podReady(pod(withInit, { initContainerStatuses: statuses, containerStatuses: [running] })),
    ).to.equal('2/2');
  });

  it('says when the last restart was', () => {
    const finishedAt = '1970-01-01T00:00:10Z';
    const restarted = { ...running, restartCount: 2, lastState: { terminated: { finishedAt } } };
    expect(podRestarts(pod(one, { containerStatuses: [restarted] }), 22_000)).to.equal('2 (12s ago)');
    expect(podRestarts(pod(one, {}), 0)).to.equal('0');
  });
});
