import { expect } from 'chai';
import { waitThroughFailures } from '@ambient/testkit/lab';
import { account, deployment, MESHED, program } from '../harness/applications.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { apply, kubectl } from '../harness/command.ts';
import { timed } from '../harness/timing.ts';
import { figure } from '../harness/figures.ts';
import { accessLine, identity, readyPods } from '../harness/mesh.ts';
import { isCaptured, isReady, podsOf, podsThat } from '../harness/pods.ts';

export function faults(cluster: ClusterRun): void {
  describe('faults', () => {
    it('a network configuration that somebody rewrites has our entry again', async () => {
      const { path } = await cluster.node.networkConfig();
      await cluster.node.run('printf %s "$2" > "$1"', path, cluster.networkConfig);
      const { ms } = await timed(() =>
        waitThroughFailures(
          async () => ((await cluster.node.networkConfig()).text.includes('istio-cni') ? true : undefined),
          'our entry',
        ),
      );
      figure('network configuration rewritten to repaired', `${ms} ms`);
    });

    it('rules that somebody flushes come back', async () => {
      const uid = (await podsOf(MESHED, 'app=client'))[0]!.metadata.uid;
      const whole = await cluster.node.tracesInPod(uid);
      await cluster.node.inPod(
        uid,
        'iptables-nft -t nat -F; iptables-legacy -t nat -F; nft flush ruleset; true',
      );
      const { ms } = await timed(() =>
        waitThroughFailures(
          async () => ((await cluster.node.tracesInPod(uid)).length === whole.length ? true : undefined),
          'the same rules',
        ),
      );
      figure('rules flushed to repaired', `${ms} ms`);
    });

    it('an agent that is killed: pods that start meanwhile wait for it, and are captured', async () => {
      const sums = await cluster.meshedLoad.now();
      const [agent] = await readyPods('k8s-app=istio-cni-node');
      // Twice: the kubelet lets the container wait before it starts it for the third time.
      for (const time of ['first', 'second'])
        await waitThroughFailures(async () => {
          await cluster.node.kill(agent!.metadata.uid, 'agent/main.ts');
          return true;
        }, `${time} kill of the agent`);
      const url = `http://server.${MESHED}/`;
      const first = program('first', ['http-get', '--url', url]);
      const containers = [program('load', ['http-load', '--url', url, '--lanes', '1'])];
      await apply(
        account(MESHED, 'orphan'),
        deployment(MESHED, 'orphan', 1, { account: 'orphan', containers, more: { initContainers: [first] } }),
      );
      const { ms, value: pods } = await timed(() =>
        podsThat(
          'ready and captured',
          MESHED,
          'app=orphan',
          1,
          (pod) => isReady(pod) && isCaptured(pod),
          120_000,
        ),
      );
      figure('pod created while the agent is dead, to captured', `${(ms / 1000).toFixed(1)} s`);
      const { name } = pods[0]!.metadata;
      const line = await accessLine({ direction: 'inbound', 'src.workload': name });
      expect(line['src.identity']).to.equal(identity(MESHED, 'orphan'));
      const printed = await kubectl(['--namespace', MESHED, 'logs', name, '--container', 'first']);
      expect(JSON.parse(printed)).to.include({ status: 200 });
      await readyPods('k8s-app=istio-cni-node');
      expect((await cluster.meshedLoad.since(sums)).failures).to.deep.equal([]);
      await kubectl(['--namespace', MESHED, 'delete', 'deployment', 'orphan', '--wait=false']);
    });
  });
}
