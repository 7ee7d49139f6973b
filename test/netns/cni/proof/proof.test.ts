import { expect } from 'chai';
import type { Pod } from '@ambient/kube';
import type { LabProcess } from '@ambient/testkit/lab';
import type { TestPod } from '../agent/agent-node.ts';
import { AgentNode } from '../agent/agent-node.ts';
import { startZtunnel } from './real-ztunnel.ts';

const ambient = { 'istio.io/dataplane-mode': 'ambient' };

describe('proof of capture, with a real ztunnel', function () {
  this.timeout(30_000);
  let node: AgentNode;
  let ztunnel: LabProcess;

  beforeEach(async () => {
    node = await AgentNode.create();
    ztunnel = await startZtunnel(node);
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log([...node.lines, ...ztunnel.lines].join('\n'));
    await node.destroy();
  });

  async function start(variables: Record<string, string> = {}): Promise<void> {
    await node.startAgent({ CAPTURE_PROOF_INTERVAL: '500ms', RULE_CHECK_INTERVAL: '0', ...variables });
    await node.logged(/ztunnel has connected/);
  }

  async function condition({ name }: TestPod): Promise<string> {
    const { status } = await node.client.request<Pod>({ path: `/api/v1/namespaces/shop/pods/${name}` });
    const found = status?.conditions?.find(({ type }) => type === 'ambient.istio.io/Captured');
    return found === undefined ? '' : `${found.status} ${found.reason}`;
  }

  async function reaches(pod: TestPod, wanted: string): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const present = await condition(pod);
      if (present === wanted) return;
      if (performance.now() > deadline) throw new Error(`${pod.name} says "${present}", not "${wanted}"`);
    }
  }

  async function metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${node.agent!.ports.monitoring}/metrics`)).text();
  }

  async function reasons(): Promise<string[]> {
    const { items } = await node.client.request<{ items: { reason: string }[] }>({
      path: '/api/v1/namespaces/shop/events',
    });
    return items.map(({ reason }) => reason);
  }

  it('is there within a second of the capture, for both families, and leaves no trace in the log of ztunnel', async () => {
    const pod = await node.pod('web', { labels: ambient });
    await pod.netns.must(['ip', '-6', 'route', 'add', 'default', 'via', 'fd80:1::1']);
    await start();
    await node.says(pod, 'enabled');
    const capturedMs = performance.now();
    await reaches(pod, 'True Proven');
    expect(performance.now() - capturedMs).to.be.below(1000);
    expect(await metrics()).to.match(/istio_cni_capture_proven 1/);
    expect(ztunnel.lines.join('\n')).to.not.contain('169.254.7.126');
  });
});
