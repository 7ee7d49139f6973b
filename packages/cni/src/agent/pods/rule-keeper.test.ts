import { expect } from 'chai';
import type { KubeObject, Pod } from '@ambient/kube';
import { NetworkNamespace } from '@ambient/linux';
import { Logger, LogLevels, silentSink } from '@ambient/runtime';
import type { Drift } from '../../rules/pod-applier.ts';
import type { PodCapture } from '../../rules/pod-capture.ts';
import { capturedPod } from './captured-pod.ts';
import { RuleKeeper } from './rule-keeper.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'cart', namespace: 'shop', uid: 'u1' },
};
const capture = {} as PodCapture;

describe('RuleKeeper', () => {
  const netns = NetworkNamespace.current();
  after(() => netns.close());
  let steps: string[];
  let drift: readonly Drift[];
  let known: Pod | undefined;

  beforeEach(() => {
    steps = [];
    known = pod;
  });

  function restore(failing = false): Promise<readonly string[]> {
    const keeper = new RuleKeeper({
      rules: {
        check: () => Promise.resolve([...drift]),
        renew: () => {
          steps.push('renew');
          return failing ? Promise.reject(new Error('no table')) : Promise.resolve();
        },
      },
      steps: { prepareKernel: () => void steps.push('kernel') },
      podObject: () => known,
      events: {
        record: (_: KubeObject, reason: string, note: string) => void steps.push(`${reason} ${note}`),
      },
      onRulesSet: (uid) => void steps.push(`set ${uid}`),
      metrics: { drift: (outcome: string) => void steps.push(outcome) },
      log: new Logger(new LogLevels('off'), silentSink, 'test'),
    });
    return keeper.restore(capturedPod(pod, netns, capture, []), netns, capture);
  }

  it('leaves rules alone that are as they should be', async () => {
    drift = [];
    expect(await restore()).to.deep.equal([]);
    expect(steps).to.deep.equal([]);
  });

  it('sets the others anew, and tells of it with the first difference', async () => {
    drift = [
      { kind: 'missing', what: 'a rule' },
      { kind: 'missing', what: 'a set' },
    ];
    expect(await restore()).to.deep.equal(['missing: a rule', 'missing: a set']);
    expect(steps.slice(0, 4)).to.deep.equal(['renew', 'kernel', 'set u1', 'repaired']);
    expect(steps[4]).to.match(/^AmbientRulesRepaired 2 differences .* the first: missing: a rule\./);
  });

  it('tells nobody of a pod that the API server knows no more', async () => {
    drift = [{ kind: 'missing', what: 'a rule' }];
    known = undefined;
    await restore();
    expect(steps).to.deep.equal(['renew', 'kernel', 'set u1', 'repaired']);
  });

  it('counts and passes on that they cannot be set', async () => {
    drift = [{ kind: 'missing', what: 'a rule' }];
    const error: unknown = await restore(true).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('message', 'no table');
    expect(steps).to.deep.equal(['renew', 'failed']);
  });
});
