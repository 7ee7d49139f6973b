import { expect } from 'chai';
import { MESHED, PLAIN } from '../harness/applications.ts';
import { httpGet } from '../harness/ask.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { timed } from '../harness/timing.ts';
import { figure } from '../harness/figures.ts';
import { install, parts, readyPods } from '../harness/mesh.ts';

interface NetworkConfig {
  readonly plugins: readonly { readonly type: string }[];
}

export function installation(cluster: ClusterRun): void {
  describe('installation', () => {
    it('finds nothing of a mesh', async () => {
      expect(cluster.traces).to.deep.equal([]);
      expect(await httpGet(MESHED, 'client', `http://server.${MESHED}/`)).to.include({ status: 200 });
    });

    it('makes every part ready', async () => {
      const shareNetwork = !(await cluster.node.processOneHasTheNetwork());
      if (shareNetwork)
        console.log("      process 1 is not in the node's network: the agent shares that of its pod");
      for (const { chart, labels } of parts) {
        const values = chart === 'cni' && shareNetwork ? { 'ambient.shareHostNetworkNamespace': 'true' } : {};
        const { ms } = await timed(async () => {
          await install(chart, values);
          if (labels !== undefined) await readyPods(labels);
        });
        figure(`${chart}, helm install to ready`, `${(ms / 1000).toFixed(1)} s`);
      }
    });

    it("joins the node's network configuration, and leaves the rest of it as it was", async () => {
      const now = JSON.parse((await cluster.node.networkConfig()).text) as NetworkConfig;
      const before = JSON.parse(cluster.networkConfig) as NetworkConfig;
      expect(now.plugins.at(-1)!.type).to.equal('istio-cni');
      expect({ ...now, plugins: now.plugins.slice(0, -1) }).to.deep.equal(before);
    });

    it('changes nothing for pods that are not labelled', async () => {
      for (const load of [cluster.plainLoad, cluster.meshedLoad])
        expect((await load.since(cluster.atFirst.get(load)!)).failures).to.deep.equal([]);
      expect(await httpGet(PLAIN, 'client', `http://server.${PLAIN}/`)).to.include({ status: 200 });
    });
  });
}
