import { expect } from 'chai';
import { waitThroughFailures } from '@ambient/testkit/lab';
import { MESHED } from '../harness/applications.ts';
import { httpGet } from '../harness/ask.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { kubectl } from '../harness/command.ts';
import { parts, SYSTEM, uninstall } from '../harness/mesh.ts';
import { isCaptured, isReady, podsThat } from '../harness/pods.ts';

const APPLICATIONS = 'app in (server,client,load)';

export function removal(cluster: ClusterRun): void {
  describe('removal', () => {
    it('of the label releases all pods, without a failed request', async () => {
      const sums = await cluster.meshedLoad.now();
      await kubectl(['--namespace', MESHED, 'delete', 'peerauthentication', 'strict', '--ignore-not-found']);
      await kubectl(['label', 'namespace', MESHED, 'istio.io/dataplane-mode-']);
      const pods = await podsThat('released', MESHED, APPLICATIONS, 4, (pod) => !isCaptured(pod));
      await waitThroughFailures(async () => {
        const traces = await Promise.all(pods.map(({ metadata }) => cluster.node.tracesInPod(metadata.uid)));
        return traces.every((each) => each.length === 0) ? true : undefined;
      }, 'end of the releases');
      expect((await cluster.meshedLoad.since(sums)).failures).to.deep.equal([]);
    });

    it('of the node agent releases pods that are still captured, and leaves nothing on the node', async () => {
      await kubectl(['label', 'namespace', MESHED, 'istio.io/dataplane-mode=ambient']);
      const pods = await podsThat('captured', MESHED, APPLICATIONS, 4, isCaptured);
      await uninstall('cni');
      // Its pods end when they have cleaned up.
      const agents = ['pod', '--selector', 'k8s-app=istio-cni-node'];
      await kubectl(['--namespace', SYSTEM, 'wait', '--for=delete', ...agents, '--timeout=60s']);
      for (const { metadata } of pods)
        expect(await cluster.node.tracesInPod(metadata.uid), metadata.name).to.deep.equal([]);
      expect(await cluster.node.traces()).to.deep.equal(cluster.traces);
      const { text } = await cluster.node.networkConfig();
      expect(JSON.parse(text)).to.deep.equal(JSON.parse(cluster.networkConfig));
      expect(await httpGet(MESHED, 'client', `http://server.${MESHED}/`)).to.include({ status: 200 });
    });

    it('of all the rest leaves pods as they are, and new ones start', async () => {
      await kubectl(['label', 'namespace', MESHED, 'istio.io/dataplane-mode-']);
      for (const { chart } of parts.toReversed()) if (chart !== 'cni') await uninstall(chart);
      const sums = await cluster.meshedLoad.now();
      await kubectl(['--namespace', MESHED, 'rollout', 'restart', 'deployment/client']);
      await kubectl(['--namespace', MESHED, 'rollout', 'status', 'deployment/client', '--timeout=60s']);
      await podsThat('ready', MESHED, APPLICATIONS, 4, isReady);
      expect(await httpGet(MESHED, 'client', `http://server.${MESHED}/`)).to.include({ status: 200 });
      expect((await cluster.meshedLoad.since(sums)).failures).to.deep.equal([]);
      expect((await cluster.plainLoad.since(cluster.atFirst.get(cluster.plainLoad)!)).failures).to.deep.equal(
        [],
      );
    });
  });
}
