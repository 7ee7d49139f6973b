import { expect } from 'chai';
import { account, deployment, MESHED, shell } from '../harness/applications.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { apply, kubectl } from '../harness/command.ts';
import { pause, timed } from '../harness/timing.ts';
import { figure } from '../harness/figures.ts';
import { readyPods, restart } from '../harness/mesh.ts';
import { isCaptured, isReady, podsThat } from '../harness/pods.ts';

/** Connections of the one before have ended or been cut by then: its time to drain. */
const DRAINED_MS = 30_000;

async function underLoad(cluster: ClusterRun, what: string, action: () => Promise<unknown>): Promise<void> {
  const [meshed, plain] = [await cluster.meshedLoad.now(), await cluster.plainLoad.now()];
  const { ms } = await timed(action);
  const outcome = await cluster.meshedLoad.since(meshed);
  const beside = await cluster.plainLoad.since(plain);
  figure(
    what,
    `${outcome.failures.length} of ${outcome.answers + outcome.failures.length} requests failed, ${(ms / 1000).toFixed(1)} s`,
  );
  expect(outcome.failures, 'in the mesh').to.deep.equal([]);
  expect(beside.failures, 'beside the mesh').to.deep.equal([]);
}

export function upgrades(cluster: ClusterRun): void {
  describe('upgrades under load', () => {
    for (const round of [1, 2])
      it(`of ztunnel, until the one before has drained (${round})`, () =>
        underLoad(cluster, `upgrade ${round} of ztunnel`, async () => {
          await restart('daemonset/ztunnel');
          await readyPods('app=ztunnel');
          if (round === 2) await pause(DRAINED_MS);
        }));

    it('of the node agent, with pods that start meanwhile', () =>
      underLoad(cluster, 'upgrade of the node agent', async () => {
        const containers = [shell()];
        await apply(account(MESHED, 'late'));
        await Promise.all([
          restart('daemonset/istio-cni-node'),
          apply(deployment(MESHED, 'late', 3, { account: 'late', containers })),
        ]);
        await podsThat('ready and captured', MESHED, 'app=late', 3, (pod) => isReady(pod) && isCaptured(pod));
        await kubectl(['--namespace', MESHED, 'delete', 'deployment', 'late', '--wait=false']);
      }));

    it('of the control plane', () =>
      underLoad(cluster, 'upgrade of the control plane', () => restart('deployment/istiod')));
  });
}
