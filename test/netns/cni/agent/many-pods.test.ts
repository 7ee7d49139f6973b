import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { REDIRECTION_ANNOTATION } from '@ambient/cni/agent';
import type { Pod } from '@ambient/kube';
import { NetworkNamespace, NftablesSocket } from '@ambient/linux';
import { waitFor } from '@ambient/testkit';
import { AgentNode } from './agent-node.ts';

const PODS = 100;
/**
 * Of this process, which is API server, agent and ztunnel, for each pod from the label on: 13 ms. Unlike the time it takes, it
 * does not depend on what else the machine does.
 */
const MAX_CPU_MS_PER_POD = 40;

describe(`${PODS} running pods of a node`, function () {
  // Of a few seconds on a machine that does nothing else.
  this.timeout(60_000);
  let node: AgentNode;
  const namespaces: NetworkNamespace[] = [];

  before(async () => {
    node = await AgentNode.create();
    for (let i = 1; i <= PODS; i++) {
      const netns = NetworkNamespace.create();
      namespaces.push(netns);
      // As every runtime leaves it: a pod without loopback cannot be captured.
      const { status } = netns.enter(() => spawnSync('ip', ['link', 'set', 'lo', 'up']));
      expect(status, 'exit code of ip').to.equal(0);
      await node.bare(`pod-${i}`, netns);
    }
    await node.startAgent({ RELEASE_GRACE_PERIOD: '100ms' });
    await node.ztunnel();
  });

  after(async () => {
    await node.destroy();
    for (const netns of namespaces) netns.close();
  });

  /** Waits for a line of the agent's log about each pod, from a line on. */
  async function eachLogged(pattern: RegExp, since: number): Promise<void> {
    for (let at = since, found = 0; found < PODS; found++)
      at = node.lines.indexOf(await node.logged(pattern, at), at) + 1;
  }

  /** What the pods say of themselves. */
  async function said(): Promise<(string | undefined)[]> {
    const { items } = await node.client.request<{ items: Pod[] }>({ path: '/api/v1/namespaces/shop/pods' });
    return items.map(({ metadata }) => metadata.annotations?.[REDIRECTION_ANNOTATION]);
  }

  /** Of each pod; another number after each change of its rules. */
  function generations(): (number | undefined)[] {
    return namespaces.map((netns) => {
      using socket = netns.enter(() => new NftablesSocket());
      return socket.generation();
    });
  }

  const alarms = (): string[] => node.lines.filter((line) => /^(warn|error)/.test(line));

  it('are captured by a label, each at once, at a cost that does not grow with the node', async () => {
    const before = generations();
    const started = process.cpuUsage();
    await node.labelNamespace('ambient');
    await eachLogged(/captured, while it runs/, 0);
    const { user, system } = process.cpuUsage(started);
    const cpuMs = (user + system) / 1000 / PODS;
    if (process.env['MEASURE'] !== undefined) console.log({ cpuMs });
    expect(alarms()).to.deep.equal([]);
    await waitFor(async () => (await said()).every((value) => value === 'enabled'), 'annotations');
    // One transaction: a second one would mean that something was done twice.
    expect(generations()).to.deep.equal(before.map((generation) => generation! + 1));
    expect(cpuMs, 'ms of processor time for each').to.be.below(MAX_CPU_MS_PER_POD);
  });

  it('are taken over by the next agent, which changes none of them', async () => {
    const before = generations();
    await node.stopAgent();
    const since = node.lines.length;
    await node.startAgent({ RELEASE_GRACE_PERIOD: '100ms' });
    const ztunnel = await node.ztunnel();
    expect(ztunnel.texts.filter((text) => text.startsWith('add '))).to.have.length(PODS);
    await node.logged(/captured_before":100/, since);
    expect(generations()).to.deep.equal(before);
  });

  it('are released when the label goes', async () => {
    const since = node.lines.length;
    await node.labelNamespace(null);
    await eachLogged(/info pods released/, since);
    await waitFor(async () => (await said()).every((value) => value === undefined), 'no annotations');
    expect(alarms()).to.deep.equal([]);
  });
});
