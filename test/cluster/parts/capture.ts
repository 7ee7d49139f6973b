import { expect } from 'chai';
import { waitThroughFailures } from '@ambient/testkit/lab';
import { account, MESHED, PLAIN, pod, program, shell } from '../harness/applications.ts';
import { httpGet } from '../harness/ask.ts';
import type { ClusterRun } from '../harness/cluster-run.ts';
import { apply, execIn, kubectl } from '../harness/command.ts';
import { timed } from '../harness/timing.ts';
import { figure } from '../harness/figures.ts';
import { accessLine, identity } from '../harness/mesh.ts';
import type { Pod } from '../harness/pods.ts';
import { isCaptured, isReady, podsOf, podsThat, readyPod } from '../harness/pods.ts';

const APPLICATIONS = 'app in (server,client,load)';

export function capture(cluster: ClusterRun): void {
  describe('capture', () => {
    let server: readonly Pod[];
    let client: Pod;

    it('of running pods by a label, without a restart and without a failed request', async () => {
      const before = await podsOf(MESHED, APPLICATIONS);
      const sums = await cluster.meshedLoad.now();
      const { ms, value: pods } = await timed(async () => {
        await kubectl(['label', 'namespace', MESHED, 'istio.io/dataplane-mode=ambient']);
        return podsThat('captured', MESHED, APPLICATIONS, before.length, isCaptured);
      });
      figure(`namespace labelled to ${pods.length} running pods captured`, `${ms} ms`);
      expect(pods.map(({ metadata }) => metadata.uid)).to.deep.equal(
        before.map(({ metadata }) => metadata.uid),
      );
      for (const { status } of pods)
        for (const { restartCount } of status.containerStatuses!) expect(restartCount).to.equal(0);
      await cluster.meshedLoad.now();
      expect((await cluster.meshedLoad.since(sums)).failures).to.deep.equal([]);
      server = pods.filter(({ metadata }) => metadata.name.startsWith('server-'));
      client = pods.find(({ metadata }) => metadata.name.startsWith('client-'))!;
    });

    it("sets the rules and the kernel's settings in a pod, and none in others", async () => {
      const traces = await cluster.node.tracesInPod(server[0]!.metadata.uid);
      expect(traces.join('\n')).to.match(/iptables.*15001|istio-ambient-nat/);
      expect(traces).to.include.members([
        'sysctl: tcp_migrate_req',
        'sysctl: tcp_tw_reuse',
        'sysctl: nf_conntrack_tcp_loose',
      ]);
      const [plain] = await podsOf(PLAIN, 'app=client');
      expect(await cluster.node.tracesInPod(plain!.metadata.uid)).to.deep.equal([]);
    });

    it('carries connections under the identities of both pods', async () => {
      const answer = await httpGet(MESHED, 'client', `http://server.${MESHED}/`);
      expect(answer).to.include({ status: 200 });
      // The application sees who has called.
      expect(answer.headers['x-peer']).to.contain(client.status.podIP);
      const line = await accessLine({
        direction: 'inbound',
        'src.workload': client.metadata.name,
        'src.identity': identity(MESHED, 'client'),
        'dst.identity': identity(MESHED, 'server'),
      });
      expect(line['dst.addr']).to.match(/:15008$/);
      expect(line['dst.service']).to.equal(`server.${MESHED}.svc.cluster.local`);
    });

    it('has nothing but the port of the mesh on the wire between pods', async () => {
      // A connection that is held while the sockets of the pod are listed.
      const held = execIn(MESHED, 'deployment/client', [
        'node',
        '/app/exchange-client.ts',
        ...['--host', `server.${MESHED}`, '--port', '9000', '--half-close', 'false', '--timeout-ms', '6000'],
      ]);
      const ips = server.map(({ status }) => status.podIP!);
      const peers = await waitThroughFailures(async () => {
        const list = await cluster.node.inPod(
          client.metadata.uid,
          "ss --no-header --numeric --tcp state established | awk '{print $4}'",
        );
        const others = list.split('\n').filter((peer) => ips.some((ip) => peer.includes(`${ip}:`)));
        return others.length > 0 ? others : undefined;
      }, 'a connection to the server');
      for (const peer of peers) expect(peer).to.match(/:15008$/);
      await held;
    });

    it('of a new pod before its first packet, in an init container', async () => {
      const url = `http://server.${MESHED}/`;
      await apply(
        account(MESHED, 'early'),
        pod(MESHED, 'early', {
          account: 'early',
          containers: [shell()],
          more: { initContainers: [program('first', ['http-get', '--url', url])] },
        }),
      );
      const early = await readyPod(MESHED, 'app=early');
      const printed = await kubectl(['--namespace', MESHED, 'logs', 'early', '--container', 'first']);
      expect(JSON.parse(printed)).to.include({ status: 200 });
      const line = await accessLine({ direction: 'inbound', 'src.workload': 'early' });
      expect(line['src.identity']).to.equal(identity(MESHED, 'early'));
      await podsThat('captured', MESHED, 'app=early', 1, isCaptured);
      const readyAt = early.status.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime;
      const took = (Date.parse(readyAt) - Date.parse(early.status.startTime!)) / 1000;
      figure('a new pod with an init container, start to ready', `${took} s`);
    });

    it('goes on with pods outside of the mesh, in both directions', async () => {
      expect(await httpGet(PLAIN, 'client', `http://server.${MESHED}/`)).to.include({ status: 200 });
      expect(await httpGet(MESHED, 'client', `http://server.${PLAIN}/`)).to.include({ status: 200 });
      const line = await accessLine({ direction: 'inbound', 'src.namespace': PLAIN });
      expect(line).not.to.have.property('src.identity');
    });

    it('ends with the label of a pod, and comes back with it', async () => {
      await kubectl(['--namespace', MESHED, 'label', 'pod', 'early', 'istio.io/dataplane-mode=none']);
      const released = (each: Pod): boolean => !isCaptured(each);
      await podsThat('released', MESHED, 'app=early', 1, released);
      expect(JSON.parse(await ask(`http://server.${PLAIN}/`))).to.include({ status: 200 });
      await kubectl(['--namespace', MESHED, 'label', 'pod', 'early', 'istio.io/dataplane-mode-']);
      await podsThat('captured', MESHED, 'app=early', 1, isCaptured);
      expect(JSON.parse(await ask(`http://server.${MESHED}/`))).to.include({ status: 200 });
      await kubectl(['--namespace', MESHED, 'delete', 'pod', 'early', '--wait=false']);
    });

    async function ask(url: string): Promise<string> {
      return execIn(MESHED, 'early', ['node', '/app/http-get.ts', '--url', url]);
    }

    it('keeps all of them ready', async () => {
      await podsThat('ready', MESHED, APPLICATIONS, 4, isReady);
    });
  });
}
