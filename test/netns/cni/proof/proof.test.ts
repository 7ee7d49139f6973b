import { expect } from 'chai';
import type { Pod } from '@ambient/kube';
import { sampleApp } from '@ambient/testkit/lab';
import type { LabProcess } from '@ambient/testkit/lab';
import type { TestPod } from '../agent/agent-node.ts';
import { AgentNode } from '../agent/agent-node.ts';
import { Call } from '../../function/call.ts';
import { startZtunnel } from './real-ztunnel.ts';

const ambient = { 'istio.io/dataplane-mode': 'ambient' };

describe('proof of capture, with a real ztunnel', function () {
  this.timeout(40_000);
  let node: AgentNode;
  let ztunnel: LabProcess;

  before(async () => {
    node = await AgentNode.create();
    ztunnel = await startZtunnel(node.node, node.lab.directory, node.socket);
    await node.startAgent({
      CAPTURE_PROOF_INTERVAL: '500ms',
      RULE_CHECK_INTERVAL: '0',
      CUT_PLAINTEXT_CONNECTIONS: 'true',
    });
    await node.logged(/ztunnel has connected/);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.log([...node.lines, ...ztunnel.lines].join('\n'));
  });

  after(() => node.destroy());

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

  async function reasons(pod: TestPod): Promise<string[]> {
    const { items } = await node.client.request<{
      items: { reason: string; involvedObject: { uid: string } }[];
    }>({ path: '/api/v1/namespaces/shop/events' });
    return items.filter(({ involvedObject }) => involvedObject.uid === pod.uid).map(({ reason }) => reason);
  }

  async function running(name: string): Promise<TestPod> {
    const pod = await node.pod(name, { labels: ambient });
    await pod.netns.must(['ip', '-6', 'route', 'add', 'default', 'via', pod.netns.ipv6.replace(/2$/, '1')]);
    return pod;
  }

  /** A pod that is proven to be captured. */
  async function proven(name: string): Promise<TestPod> {
    const pod = await running(name);
    await reaches(pod, 'True Proven');
    return pod;
  }

  function closed(pod: TestPod): Promise<string> {
    return node.logged(new RegExp(`a gap in the capture of a pod is closed.*shop/${pod.name}"`));
  }

  it('is there within a second of the capture, for both families, and leaves no trace in the log of ztunnel', async () => {
    const pod = await running('fresh');
    await node.says(pod, 'enabled');
    const capturedMs = performance.now();
    await reaches(pod, 'True Proven');
    expect(performance.now() - capturedMs).to.be.below(1000);
    expect(await metrics()).to.match(/istio_cni_capture_proven 1/);
    expect(ztunnel.lines.join('\n')).to.not.contain('"scope":"access"');
  });

  it('finds rules that were flushed, sets them anew and says so, without the comparison of rules', async () => {
    const pod = await proven('flushed');
    await pod.netns.must(['nft', 'flush', 'ruleset']);
    await closed(pod);
    expect(await node.rules(pod)).to.match(/redirect to :15001/);
    await reaches(pod, 'True Proven');
    expect(await metrics()).to.match(
      /istio_cni_capture_gaps_total\{reason="\w+NotCaptured",outcome="repaired"\} [1-9]/,
    );
    while (!(await reasons(pod)).includes('AmbientCaptureGapClosed')) continue;
    expect(await reasons(pod)).to.not.include('AmbientCaptureGap');
  });

  it('finds rules of one family that are gone', async () => {
    const pod = await proven('halved');
    const chain = ['inet', 'istio-ambient-nat', 'istio-output'];
    const listed = await pod.netns.must(['nft', '-a', 'list', 'chain', ...chain]);
    const handle = /ip6 daddr != ::1 meta l4proto tcp .* handle (\d+)/.exec(listed)![1]!;
    await pod.netns.must(['nft', 'delete', 'rule', ...chain, 'handle', handle]);
    expect(await closed(pod)).to.contain('what the pod opens (IPv6)');
  });

  it('finds a rule of somebody else that goes before ours, and tells while it cannot help', async () => {
    const pod = await proven('diverted');
    await pod.netns.must(['nft', 'add table ip foreign']);
    await pod.netns.must([
      'nft',
      'add chain ip foreign output { type nat hook output priority -150; policy accept; }',
    ]);
    await pod.netns.must([
      'nft',
      'add rule ip foreign output ip daddr 169.254.0.0/16 tcp dport 1-65535 redirect to :9999',
    ]);
    await reaches(pod, 'False ZtunnelNotListening');
    while (!(await reasons(pod)).includes('AmbientCaptureGap')) continue;
    expect(await metrics()).to.match(/istio_cni_capture_gap 1/);
    await pod.netns.must(['nft', 'delete table ip foreign']);
    await reaches(pod, 'True Proven');
    expect(await metrics()).to.match(/istio_cni_capture_gap 0/);
  });

  it('finds DNS that goes elsewhere', async () => {
    const pod = await proven('resolving');
    const chain = ['inet', 'istio-ambient-nat', 'istio-output'];
    const listed = await pod.netns.must(['nft', '-a', 'list', 'chain', ...chain]);
    const handle = /udp dport 53 .* handle (\d+)/.exec(listed)![1]!;
    await pod.netns.must(['nft', 'delete', 'rule', ...chain, 'handle', handle]);
    expect(await closed(pod)).to.contain('DnsNotCaptured');
  });

  it('cuts a connection that was open before the capture, where it is told to, and no other', async () => {
    const server = await node.node.spawn(sampleApp('echo', { port: 7000 }), { name: 'echo' });
    await server.waitForLine(/^ready /);
    const pod = await node.pod('older', { labels: { 'istio.io/dataplane-mode': 'none' } });
    const nodeAddress = pod.netns.ipv4.replace(/2$/, '1');
    using call = new Call(pod.netns, nodeAddress, 7000);
    expect(await call.echo('before')).to.equal(true);
    await node.label(pod, ambient);
    await reaches(pod, 'True Proven');
    expect(await call.endsWithin(5000)).to.match(/ECONNABORTED|ECONNRESET|EPIPE/);
    expect(await node.logged(/were cut/)).to.contain(`to ${nodeAddress}:7000`);
  });

  it('has ztunnel begin anew in a pod where it does not listen', async () => {
    const pod = await proven('deaf');
    // As if a defect had closed the listeners: what arrives there is refused.
    await pod.netns.must(['nft', 'add table ip closed']);
    await pod.netns.must([
      'nft',
      'add chain ip closed input { type filter hook input priority 0; policy accept; }',
    ]);
    await pod.netns.must(['nft', 'add rule ip closed input tcp dport 15001 reject with tcp reset']);
    await reaches(pod, 'False ZtunnelNotListening');
    await ztunnel.waitForLine(/pod.*(removed|released|gone|drain)/i);
    await pod.netns.must(['nft', 'delete table ip closed']);
    await reaches(pod, 'True Proven');
  });

  it('does not blame pods for a ztunnel that is replaced', async () => {
    const pod = await proven('orphan');
    ztunnel.signal('SIGKILL');
    await ztunnel.exited;
    ztunnel = await startZtunnel(node.node, node.lab.directory, node.socket);
    const since = node.lines.length;
    await node.logged(/ztunnel has connected/, since);
    await reaches(pod, 'True Proven');
    expect(await reasons(pod)).to.not.include('AmbientCaptureGap');
  });
});
