import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import type { TestPod } from './agent-node.ts';
import { AgentNode } from './agent-node.ts';

const captured = /redirect to :15001/;

describe('node agent', function () {
  this.timeout(40_000);
  let node: AgentNode;

  beforeEach(async () => {
    node = await AgentNode.create();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log(node.lines.join('\n'));
    await node.destroy();
  });

  const added = (pod: TestPod): string => `add ${pod.uid} shop/${pod.name}/default`;

  it('captures running pods when their namespace is labelled, and releases them when it is not', async () => {
    const [pod, other] = [
      await node.pod('web'),
      await node.pod('none', { labels: { 'istio.io/dataplane-mode': 'none' } }),
    ];
    await node.startAgent();
    const ztunnel = await node.ztunnel();
    await node.labelNamespace('ambient');
    await node.says(pod, 'enabled');
    expect(ztunnel.texts).to.deep.equal(['snapshot', added(pod)]);
    expect(await node.rules(pod)).to.match(captured);
    expect(await node.rules(other)).to.equal('');
    expect(await node.node.must(['nft', 'list', 'ruleset']))
      .to.contain(pod.netns.ipv4)
      .and.to.contain(pod.netns.ipv6);

    await node.labelNamespace(null);
    await node.says(pod, undefined);
    expect(ztunnel.texts.at(-1)).to.equal(`del ${pod.uid}`);
    expect(await node.rules(pod)).to.not.match(captured);
    expect(await node.node.must(['nft', 'list', 'ruleset'])).to.not.contain(pod.netns.ipv4);
  });

  it('leaves nothing in a pod whose release is over', async () => {
    const pod = await node.pod('web');
    await node.startAgent({ RELEASE_GRACE_PERIOD: '1ms' });
    const ztunnel = await node.ztunnel();
    await node.labelNamespace('ambient');
    await node.says(pod, 'enabled');
    await node.labelNamespace(null);
    await ztunnel.received(`del ${pod.uid}`);
    while ((await node.rules(pod)) !== '') continue;
    expect(await pod.netns.must(['ip', 'rule', 'show'])).to.not.contain('32764');
  });

  it('follows the annotations of a pod that is captured', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    await node.ztunnel();
    await node.says(pod, 'enabled');
    expect(await node.rules(pod)).to.contain('15053');
    await node.annotate(pod, { 'ambient.istio.io/dns-capture': 'false' });
    await node.logged(/captured anew/);
    expect(await node.rules(pod)).to.not.contain('15053');
  });

  it('captures a pod that starts before its plugin call returns', async () => {
    await node.labelNamespace('ambient');
    await node.startAgent();
    const ztunnel = await node.ztunnel();
    const pod = await node.pod('web', { running: false });
    const { code, output } = await node.plugin('ADD', pod);
    expect(code, output).to.equal(0);
    expect(ztunnel.texts).to.include(added(pod));
    expect(await node.rules(pod)).to.match(captured);
    await node.run(pod);
    await node.says(pod, 'enabled');
    expect(ztunnel.texts.filter((text) => text === added(pod))).to.have.length(1);
    expect((await node.plugin('DEL', pod)).code).to.equal(0);
  });

  it('fails the plugin call without a ztunnel, and leaves nothing behind', async () => {
    await node.labelNamespace('ambient');
    await node.startAgent();
    const pod = await node.pod('web', { running: false });
    const { code, output } = await node.plugin('ADD', pod);
    expect(code).to.equal(1);
    expect(output)
      .to.match(/"code":112/)
      .and.to.match(/no ztunnel of this node is connected/);
    expect(await node.rules(pod)).to.equal('');
  });

  it('has pods pending while no ztunnel is there, uncaptured, and captures them when one comes', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    await node.says(pod, 'pending');
    expect(await node.rules(pod)).to.equal('');
    const ztunnel = await node.ztunnel();
    await node.says(pod, 'enabled');
    expect(ztunnel.texts).to.include(added(pod));
  });

  it('leaves nothing of a pod that ztunnel refuses, and says so on the pod', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    const ztunnel = await node.ztunnel();
    ztunnel.refusal = 'no listener';
    await node.says(pod, 'pending');
    expect(await node.rules(pod)).to.equal('');
    const events = await node.client.request<{ items: { reason: string; message: string }[] }>({
      path: '/api/v1/namespaces/shop/events',
    });
    expect(events.items.map(({ reason }) => reason)).to.include('AmbientCaptureFailed');
    ztunnel.refusal = '';
    await node.says(pod, 'enabled');
  });

  it('repairs rules that were flushed by hand, within seconds, and reports it', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    await node.ztunnel();
    await node.says(pod, 'enabled');
    await pod.netns.must(['nft', 'flush', 'ruleset']);
    await node.logged(/were not as set, and are again/);
    expect(await node.rules(pod)).to.match(captured);
    const { ports } = node.agent!;
    const metrics = await (await fetch(`http://127.0.0.1:${ports.monitoring}/metrics`)).text();
    expect(metrics).to.match(/istio_cni_rule_drift_total\{outcome="repaired"\} 1/);
  });

  it('forgets a pod that is deleted, on the node and in ztunnel', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    const ztunnel = await node.ztunnel();
    await node.says(pod, 'enabled');
    await node.deletePod(pod);
    await ztunnel.received(`del ${pod.uid}`);
    await node.logged(/ended/);
    expect(await node.node.must(['nft', 'list', 'ruleset'])).to.not.contain(pod.netns.ipv4);
  });

  it('ends with nothing for a pod that is deleted while it is being captured', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    const ztunnel = await node.ztunnel();
    const since = node.lines.length;
    await ztunnel.received(added(pod));
    await node.deletePod(pod);
    await ztunnel.received(`del ${pod.uid}`);
    await node.logged(/ended/, since);
    expect(await node.node.must(['nft', 'list', 'ruleset'])).to.not.contain(pod.netns.ipv4);
  });

  it('says nothing of a pod without processes that is being deleted while the agent starts, and forgets it at its end', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    const first = await node.ztunnel();
    await node.says(pod, 'enabled');
    await node.stopAgent();
    await first.close();
    await node.setFinalizers(pod, ['test/later']);
    await node.deletePod(pod);

    const since = node.lines.length;
    await node.startAgent();
    const second = await node.ztunnel();
    expect(second.texts).to.deep.equal([`keep ${pod.uid}`, 'snapshot']);
    await node.logged(/no process|cannot be captured/, since);
    await node.setFinalizers(pod, []);
    await second.received(`del ${pod.uid}`);
    await node.logged(/ended/, since);
    expect(node.lines.slice(since).filter((line) => /^(warn|error)/.test(line))).to.deep.equal([]);
  });

  it('takes over after a restart: same pods to ztunnel, drifted rules set anew, late starters captured', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    const first = await node.ztunnel();
    await node.says(pod, 'enabled');
    await node.stopAgent();
    await first.close();
    expect(await node.rules(pod), 'a pod stays captured without its agent').to.match(captured);
    await pod.netns.must(['nft', 'delete', 'table', 'inet', 'istio-ambient-mangle']);
    const late = await node.pod('late', { labels: { 'istio.io/dataplane-mode': 'ambient' } });

    await node.startAgent({ RULE_CHECK_INTERVAL: '0' });
    await node.logged(/were not as set, and are again/);
    expect(await node.rules(pod)).to.contain('istio-ambient-mangle');
    const second = await node.ztunnel();
    expect(second.texts[0]).to.equal(added(pod));
    await node.says(late, 'enabled');
    expect(second.texts).to.include(added(late));
  });

  it('a captured pod that it cannot repair after a restart goes on being announced, so that nobody sends it plain text', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    await node.ztunnel();
    await node.says(pod, 'enabled');
    await node.stopAgent();
    await pod.netns.must(['ip', 'link', 'set', 'lo', 'down']); // refuses the routes for replies
    const vain = /rules cannot be kept/;
    const since = node.lines.length;
    await node.startAgent();
    const first = node.lines.indexOf(await node.logged(vain, since), since);
    await node.logged(vain, first + 1); // what the first attempt has led to is written by now
    expect(await node.redirection(pod)).to.equal('enabled');
    expect(await node.rules(pod)).to.match(captured);
    await pod.netns.must(['ip', 'link', 'set', 'lo', 'up']);
    await node.logged(/were not as set, and are again/, since);
    expect(await node.redirection(pod)).to.equal('enabled');
  });

  it('makes socket files anew that a hand has removed', async () => {
    await node.labelNamespace('ambient');
    await node.startAgent();
    const ztunnel = await node.ztunnel();
    for (const path of [node.socket, `${node.host}/run/pluginevent.sock`]) rmSync(path);
    await node.logged(/was removed, and is there again.*ztunnel/);
    await node.logged(/was removed, and is there again.*plugin/);
    const pod = await node.pod('web', { running: false });
    const { code, output } = await node.plugin('ADD', pod);
    expect(code, output).to.equal(0);
    expect(ztunnel.texts, 'the ztunnel that stayed connected').to.include(added(pod));
    const late = await node.ztunnel();
    expect(late.texts).to.deep.equal([added(pod), 'snapshot']);
  });

  it('goes on while the API server is away, and catches up', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    await node.ztunnel();
    await node.says(pod, 'enabled');
    await node.stopApi();
    await pod.netns.must(['nft', 'flush', 'ruleset']);
    await node.logged(/were not as set, and are again/);
    expect(await node.rules(pod)).to.match(captured);
    const starting = await node.plugin('ADD', { ...pod, name: 'unheard-of' });
    expect(starting.code, 'a pod of which nothing can be known does not start').to.equal(1);
    expect(starting.output).to.match(/"code":101/);
    await node.startApi();
    const late = await node.pod('late', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.says(late, 'enabled');
  });

  it('serves ztunnel when it starts while the API server is away, as the agent before has left it', async () => {
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    const first = await node.ztunnel();
    await node.says(pod, 'enabled');
    await node.stopApi();
    await node.stopAgent();
    await first.close();

    const starting = node.startAgent();
    await node.logged(/ztunnel is served as the agent before has left it/);
    const second = await node.ztunnel();
    expect(second.texts).to.deep.equal([added(pod), 'snapshot']);
    await node.startApi();
    await starting;
    await node.deletePod(pod);
    await second.received(`del ${pod.uid}`);
  });

  it('joins the network configuration, and leaves it when its DaemonSet is gone', async () => {
    const { existsSync, readFileSync } = await import('node:fs');
    await node.startAgent();
    const conflist = `${node.host}/etc/cni/net.d/10-pods.conflist`;
    expect(readFileSync(conflist, 'utf8')).to.contain('"istio-cni"');
    expect(existsSync(`${node.host}/run/istio-cni-kubeconfig`)).to.equal(true);
    await node.stopAgent();
    expect(readFileSync(conflist, 'utf8')).to.not.contain('istio-cni');
    expect(existsSync(`${node.host}/opt/cni/bin/istio-cni`)).to.equal(false);
    expect(existsSync(`${node.host}/run/istio-cni-kubeconfig`)).to.equal(false);
    expect(await node.node.must(['nft', 'list', 'ruleset'])).to.equal('');
  });

  it('releases the pods of the node when its DaemonSet is deleted', async () => {
    const { existsSync } = await import('node:fs');
    const daemonSets = '/apis/apps/v1/namespaces/istio-system/daemonsets';
    const template = {
      metadata: { labels: { 'k8s-app': 'istio-cni-node' } },
      spec: { containers: [{ name: 'install-cni', image: 'ambient/install-cni' }] },
    };
    await node.client.request({
      method: 'POST',
      path: daemonSets,
      body: {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'istio-cni-node', namespace: 'istio-system' },
        spec: { selector: { matchLabels: template.metadata.labels }, template },
      },
    });
    const pod = await node.pod('web', { labels: { 'istio.io/dataplane-mode': 'ambient' } });
    await node.startAgent();
    const first = await node.ztunnel();
    await node.says(pod, 'enabled');
    await node.stopAgent();
    const remembered = `${dirname(node.socket)}/captured-pods.json`;
    expect(await node.rules(pod), 'while another agent is to follow').to.match(captured);
    expect(existsSync(remembered), 'for that agent').to.equal(true);
    expect(existsSync(`${node.host}/opt/cni/bin/istio-cni`)).to.equal(true);
    await first.close();

    await node.startAgent();
    const second = await node.ztunnel();
    await node.says(pod, 'enabled');
    const since = node.lines.length;
    await node.client.request({ method: 'DELETE', path: `${daemonSets}/istio-cni-node` });
    await node.logged(/the DaemonSet of the agent is deleted/, since);
    await node.stopAgent();
    expect(second.texts).to.include(`del ${pod.uid}`);
    expect(await node.rules(pod)).to.equal('');
    expect(await node.redirection(pod)).to.equal(undefined);
    expect(existsSync(remembered)).to.equal(false);
    expect(await node.node.must(['nft', 'list', 'ruleset'])).to.equal('');
  });
});
