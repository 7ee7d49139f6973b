import { expect } from 'chai';
import type { LabProcess, Netns } from '@ambient/testkit/lab';
import type { TestPod } from './agent-node.ts';
import { AgentNode } from './agent-node.ts';

const APPLICATION = 8080;
/** Answers each piece with its own name before it. */
const server = `require('node:net').createServer((s) => { s.on('error', () => {}); s.on('data', (d) => s.write(process.argv[2] + ' ' + d)); })
  .listen(+process.argv[1], '::', () => console.log('listening'));`;
/** One connection that asks all the time, and tells of each answer. */
const client = `const s = require('node:net').connect(+process.argv[2], process.argv[1]); let n = 0;
  const ask = () => s.write(String(++n) + '\\n');
  s.on('connect', ask); s.on('error', (e) => console.log('broken', e.code)); s.on('close', () => console.log('broken closed'));
  s.on('data', (d) => { process.stdout.write(String(d)); setTimeout(ask, 5); });`;

describe('open connections of a pod', function () {
  this.timeout(30_000);
  let node: AgentNode;
  let pod: TestPod;

  beforeEach(async () => {
    node = await AgentNode.create();
    pod = await node.pod('web');
    await node.startAgent();
    await node.ztunnel();
    await serve(node.node, APPLICATION, 'node');
    await serve(pod.netns, APPLICATION, 'application');
    // ztunnel's listeners.
    await serve(pod.netns, 15001, 'outbound');
    await serve(pod.netns, 15006, 'inbound');
  });

  afterEach(() => node.destroy());

  async function serve(netns: Netns, port: number, name: string): Promise<void> {
    const process_ = await netns.spawn([process.execPath, '-e', server, String(port), name]);
    await process_.waitForLine(/^listening$/);
  }

  /** @returns its process, when it is connected, and who answers */
  async function connect(
    netns: Netns,
    ip: string,
  ): Promise<{ readonly process_: LabProcess; readonly by: string }> {
    const process_ = await netns.spawn([process.execPath, '-e', client, ip, String(APPLICATION)]);
    await process_.waitForLine(/^\w+ \d+$/);
    return { process_, by: process_.lines[0]!.split(' ')[0]! };
  }

  /** Resolves when the connection has got answers, all from the same server as ever, after now. */
  async function goesOn({ process_, by }: { process_: LabProcess; by: string }): Promise<void> {
    const before = process_.lines.length;
    await process_.waitForLine(new RegExp(`^(${by} ${before + 10}|broken .*)$`));
    expect(process_.lines.filter((line) => !line.startsWith(`${by} `))).to.deep.equal([]);
  }

  for (const family of ['ipv4', 'ipv6'] as const)
    it(`go on when the pod is captured and when it is released, whoever carries them, over ${family}`, async () => {
      const nodeAddress = pod.netns[family].replace(/2$/, '1');
      const before = [
        await connect(pod.netns, nodeAddress),
        await connect(node.lab.namespaces[0]!, pod.netns[family]),
      ];
      expect(before.map(({ by }) => by)).to.deep.equal(['node', 'application']);

      await node.labelNamespace('ambient');
      await node.says(pod, 'enabled');
      for (const connection of before) await goesOn(connection);
      // The node's own connections count as its probes: what comes from elsewhere is captured.
      const elsewhere = await node.pod('client', { labels: { 'istio.io/dataplane-mode': 'none' } });
      await node.node.sysctl({ 'net.ipv4.ip_forward': '1', 'net.ipv6.conf.all.forwarding': '1' });
      await elsewhere.netns.must(['ip', '-6', 'route', 'add', 'default', 'via', 'fd80:2::1']);
      await pod.netns.must(['ip', '-6', 'route', 'add', 'default', 'via', 'fd80:1::1']);
      const carried = [
        await connect(pod.netns, nodeAddress),
        await connect(elsewhere.netns, pod.netns[family]),
      ];
      expect(carried.map(({ by }) => by)).to.deep.equal(['outbound', 'inbound']);

      await node.labelNamespace(null);
      await node.says(pod, undefined);
      for (const connection of [...before, ...carried]) await goesOn(connection);
      const after = [
        await connect(pod.netns, nodeAddress),
        await connect(elsewhere.netns, pod.netns[family]),
      ];
      expect(after.map(({ by }) => by)).to.deep.equal(['node', 'application']);
    });
});
