import { expect } from 'chai';
import type { LabProcess } from '@ambient/testkit/lab';
import type { TestPod, TestZtunnel } from './agent-node.ts';
import { AgentNode } from './agent-node.ts';

const captured = /redirect to :15001/;
/** The plugin's patience with a node whose agent is being replaced, and what a call takes on a busy machine. */
const ADD_WITHIN_MS = 8000;

describe('two agents of a node', function () {
  this.timeout(60_000);
  let node: AgentNode;
  let ztunnel: TestZtunnel;
  let pods: TestPod[];

  beforeEach(async () => {
    pods = [];
    node = await AgentNode.create();
    await node.daemonSet();
    await node.labelNamespace('ambient');
    await node.startAgent();
    ztunnel = await node.ztunnel(true);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log(node.lines.join('\n'));
    await node.destroy();
  });

  /** Starts a pod as the container runtime does, once. */
  async function add(name: string): Promise<void> {
    const pod = await node.pod(name, { running: false });
    const from = performance.now();
    const { code, output } = await node.plugin('ADD', pod);
    expect(code, `${name}: ${output}`).to.equal(0);
    expect(performance.now() - from, `${name} took too long`).to.be.below(ADD_WITHIN_MS);
    expect(await node.rules(pod), name).to.match(captured);
    await node.run(pod);
    pods.push(pod);
  }

  /** A second agent, started while pods are added without a pause. */
  async function overlap(name: string): Promise<LabProcess> {
    const newer = await node.startAgentProcess();
    let serves = false;
    const serving = newer.waitForLine(/serving/, 30_000).then(() => (serves = true));
    for (let i = 1; !serves; i++) await add(`${name}-${i}`);
    await serving;
    await add(`${name}-served`);
    return newer;
  }

  /** All pods are captured, and every ztunnel that dialled was told at once of those that there were. */
  async function nobodyIsLost(): Promise<void> {
    const rules = await node.node.must(['nft', 'list', 'ruleset']);
    for (const pod of pods) {
      expect(await node.rules(pod), pod.name).to.match(captured);
      expect(rules, `probes of ${pod.name}`).to.contain(pod.netns.ipv4);
      await node.says(pod, 'enabled');
    }
    const known = new Set<string>();
    let told: Set<string> | undefined;
    for (const text of ztunnel.texts) {
      const [verb = '', uid = ''] = text.split(' ');
      if (verb === 'dialled') told = new Set();
      else if (verb === 'snapshot') {
        for (const each of known) expect([...told!], 'a snapshot').to.include(each);
        told = undefined;
      } else if (verb === 'del') known.delete(uid);
      else {
        told?.add(uid);
        known.add(uid);
      }
    }
    expect([...known]).to.include.members(pods.map(({ uid }) => uid));
  }

  const dials = (): number => ztunnel.texts.filter((text) => text === 'dialled').length;

  it('the newer serves the node while both are there, and the older does nothing', async () => {
    await add('before');
    await overlap('meanwhile');
    await node.logged(/this one stands by/);
    const since = node.lines.length;
    await add('beside');
    await pods[0]!.netns.must(['nft', 'flush', 'ruleset']);
    while (!captured.test(await node.rules(pods[0]!))) continue;
    expect(node.lines.slice(since).filter((line) => !line.startsWith('debug'))).to.deep.equal([]);
    await nobodyIsLost();
    expect(dials()).to.equal(2);
  });

  it('the older serves again within seconds when the newer is killed for good', async () => {
    const newer = await overlap('meanwhile');
    newer.killNow();
    await newer.exited;
    await add('killed');
    await node.logged(/this one serves again/);
    await add('after');
    await nobodyIsLost();
  });

  it('the older serves again when the newer leaves, as after a roll-out that is undone', async () => {
    const newer = await overlap('meanwhile');
    await newer.stop();
    await add('left');
    await add('after');
    await nobodyIsLost();
  });

  it('the newer goes on when the older leaves', async () => {
    await add('before');
    const newer = await overlap('meanwhile');
    await node.logged(/this one stands by/);
    await node.stopAgent();
    await add('after');
    await nobodyIsLost();
    expect(dials(), 'connections of a ztunnel that nobody gave up').to.equal(2);
    expect(newer.exit).to.equal(undefined);
  });

  it('the newer takes over from one that was killed while it started', async () => {
    await node.stopAgent();
    const older = await node.startAgentProcess();
    await older.waitForLine(/serving/, 30_000);
    await add('before');
    const newer = await node.startAgentProcess();
    await newer.waitForLine(/rules are set with/, 30_000);
    older.killNow();
    await add('killed');
    await add('after');
    await nobodyIsLost();
  });
});
