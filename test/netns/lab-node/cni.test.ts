import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { isReady, NodeLab } from './node-lab.ts';
import type { PodObject } from './node-lab.ts';

const containers = [{ name: 'main', image: 'test/shell' }];

describe('CNI plugins of a node of the lab', () => {
  let lab: NodeLab;

  before(async () => {
    lab = await NodeLab.start({ configured: false });
  });
  after(() => lab[Symbol.asyncDispose]());

  it('are waited for: until then the node is not ready and pods have no network', async () => {
    await lab.create('early', { containers });
    await lab.until('early', (pod) => pod?.status.phase === 'Pending' && pod.status.hostIP !== undefined);
    lab.configureNetwork();
    await lab.until('early', isReady);
    expect((await lab.events('early')).join()).to.contain(
      'no CNI configuration file in /etc/cni/net.d of the node',
    );
  });

  it('run as a chain in the namespaces of the node, and backwards at the end', async () => {
    lab.installPlugin(
      'witness',
      'echo "$CNI_COMMAND $CNI_IFNAME $CNI_NETNS $CNI_ARGS" >> /run/witness; readlink /proc/self/ns/net >> /run/witness\n' +
        '[ "$CNI_COMMAND" != ADD ] || echo "$input" | sed "s/.*\\"prevResult\\"://; s/}$//"',
    );
    lab.configureNetwork([{ type: 'witness' }]);
    const { metadata } = await lab.create('chained', { containers });
    const pod = await lab.until('chained', isReady);
    expect(pod.status.podIPs).to.have.length(2);
    await lab.remove('chained', 0);
    const file = join(lab.kubelet.hostDirectory, 'run/witness');
    const lines = (): string[] => readFileSync(file, 'utf8').trim().split('\n');
    const [add, where] = lines();
    expect(add).to.match(
      /^ADD eth0 \/var\/run\/netns\/cni-[0-9a-f]{32} IgnoreUnknown=1;K8S_POD_NAMESPACE=default;/,
    );
    expect(add).to.contain(`K8S_POD_NAME=chained;`).and.to.contain(`K8S_POD_UID=${metadata.uid}`);
    expect(where).to.match(/^net:/);
    // A pod that came after the other was detached is proof of it: the node works on both at once.
    const netns = /cni-[0-9a-f]{32}/.exec(add!)![0];
    await lab.create('after', { containers });
    await lab.until('after', isReady);
    await lab.remove('after');
    await lab.until('after', (each) => each === undefined);
    expect(lines().filter((line) => line.startsWith('DEL'))[0]).to.contain(netns);
    expect(existsSync(join(lab.kubelet.hostDirectory, 'run/netns', netns))).to.equal(false);
  });

  it('that fail are told of and tried again; what ADD had done is undone', async () => {
    lab.installPlugin(
      'moody',
      '[ "$CNI_COMMAND" != ADD ] || { echo \'{"cniVersion":"1.0.0","code":11,"msg":"not today","details":"no reason"}\'; exit 1; }\n' +
        '[ "$CNI_COMMAND" != ADD ] || echo "$input" | sed "s/.*\\"prevResult\\"://; s/}$//"',
    );
    lab.configureNetwork([{ type: 'moody' }]);
    await lab.create('moody', { containers });
    await lab.untilEvent('moody', 'not today; no reason');
    lab.installPlugin('moody', 'echo "$input" | sed "s/.*\\"prevResult\\"://; s/}$//"');
    const pod = await lab.until('moody', isReady);
    expect(pod.status.containerStatuses![0]!.restartCount).to.equal(0);
  });

  it('leave nothing behind when the node ends, whose pods it goes on with when it is back', async () => {
    await lab.create('stays', { containers });
    await lab.until('stays', isReady);
    await lab.kubelet.stop();
    expect(lab.processes()).to.deep.equal([]);
    await lab.restartNode();
    const isBack = (pod: PodObject | undefined): boolean =>
      isReady(pod) && pod?.status.containerStatuses?.[0]?.restartCount === 1;
    const pod = await lab.until('stays', isBack);
    expect(pod.status.podIPs).to.have.length(2);
  });
});
