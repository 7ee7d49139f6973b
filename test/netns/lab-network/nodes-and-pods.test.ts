import { connect } from 'node:net';
import { expect } from 'chai';
import {
  ClusterNetwork,
  connectInNamespace,
  LabNetworkError,
  listenInNamespace,
  NamespaceHolder,
  runInNamespace,
} from '@ambient/lab/network';
import { ask, TestCluster } from './test-cluster.ts';

describe('nodes and pods of the lab', () => {
  let cluster: TestCluster;

  before(async () => {
    cluster = await TestCluster.nodes(2);
  });
  after(() => cluster[Symbol.asyncDispose]());

  it('reach each other, on one node and on two, by both families', async () => {
    const [a, b, c] = await Promise.all([
      cluster.pod('a', cluster.node(1)),
      cluster.pod('b', cluster.node(1)),
      cluster.pod('c', cluster.node(2)),
    ]);
    for (const pod of [b, c]) await cluster.serve(pod, 8080);
    for (const pod of [b, c])
      for (const [family, address] of pod.addresses.entries())
        expect(await ask(a.namespace, address, 8080)).to.equal(`${pod.name} ${a.addresses[family]}`);
    expect(await ask(a.namespace, c.addresses[0]!, 81)).to.equal('ECONNREFUSED');
  });

  it('have their probes from the address of their node', async () => {
    const node = cluster.node(1);
    const pod = await cluster.pod('probed', node);
    await cluster.serve(pod, 8080);
    for (const [family, address] of pod.addresses.entries())
      expect(await ask(node.namespace, address, 8080)).to.equal(`probed ${node.addresses[family]}`);
  });

  it('are told that there is no world outside', async () => {
    const pod = await cluster.pod('outward', cluster.node(1));
    for (const address of ['198.51.100.7', '2001:db8::7'])
      expect(await ask(pod.namespace, address, 80)).to.match(/^E(HOST|NET)UNREACH$/);
  });

  it('get addresses of their own when many start at once', async () => {
    const node = cluster.node(2);
    const pods = await Promise.all(
      Array.from({ length: 8 }, (_, index) => cluster.pod(`many-${index}`, node)),
    );
    const addresses = pods.flatMap((pod) => pod.addresses);
    expect(new Set(addresses).size).to.equal(16);
    for (const address of addresses) expect(address).to.match(/^(10\.244\.2\.|fd44:0:0:2::)/);
  });

  it('are checked, removed as often as it is asked for, and leave nothing', async () => {
    const node = cluster.node(1);
    await using holder = await NamespaceHolder.create();
    const call = (command: string, further = {}) =>
      cluster.plugin(command, 'short-lived', node, holder.path, further);
    const { result: prevResult } = await call('ADD');
    const [, inside] = prevResult['interfaces'] as { name: string; sandbox?: string }[];
    expect(inside).to.include({ name: 'eth0', sandbox: holder.path });
    expect((await call('ADD')).result).to.include({ code: 4 });
    expect(await call('CHECK', { prevResult })).to.eql({ code: 0, result: {} });
    await runInNamespace(holder.namespace, 'flush', ['ip', 'addr', 'flush', 'dev', 'eth0']);
    expect((await call('CHECK', { prevResult })).result).to.include({ code: 102 });
    const [link] = prevResult['interfaces'] as { name: string }[];
    expect(await runInNamespace(node.namespace, 'links', ['ip', 'link'])).to.include(link!.name);
    for (let time = 0; time < 2; time++) expect(await call('DEL')).to.eql({ code: 0, result: {} });
    expect(await runInNamespace(node.namespace, 'links', ['ip', 'link'])).not.to.include(link!.name);
    // The address rests: the next pod gets another one.
    const { result } = await call('ADD');
    expect(result['ips']).not.to.eql(prevResult['ips']);
    expect((await call('GC', { 'cni.dev/valid-attachments': [] })).code).to.equal(0);
  });

  it('leave nothing of a pod whose namespace is gone before its plugin has ended', async () => {
    const node = cluster.node(1);
    const before = await runInNamespace(node.namespace, 'links', ['ip', '-o', 'link']);
    const { code, result } = await cluster.plugin('ADD', 'ghost', node, '/proc/1/ns/no-such');
    expect(code).to.equal(1);
    expect(result).to.include({ code: 101 });
    const after = await runInNamespace(node.namespace, 'links', ['ip', '-o', 'link']);
    expect(after.split('\n')).to.have.length(before.split('\n').length);
  });

  for (const mtu of [1280, 9000])
    it(`carry a megabyte over links of ${mtu} bytes`, async () => {
      await using small = await TestCluster.nodes(2, { mtu });
      const [a, b] = await Promise.all([small.pod('a', small.node(1)), small.pod('b', small.node(2))]);
      const payload = Buffer.alloc(1 << 20, 'x');
      const server = await listenInNamespace(b.namespace, 8080, (socket) => socket.end(payload));
      for (const address of b.addresses) {
        const socket = connectInNamespace(a.namespace, address, 8080);
        let bytes = 0;
        for await (const chunk of socket) bytes += (chunk as Buffer).length;
        socket.destroy();
        expect(bytes).to.equal(payload.length);
      }
      server.close();
      expect(await runInNamespace(a.namespace, 'link', ['ip', 'link', 'show', 'eth0'])).to.include(
        `mtu ${mtu}`,
      );
    });

  it('have numbers of their own when several nodes are made at once', async () => {
    await using network = await ClusterNetwork.create();
    const nodes = await Promise.all(['x', 'y', 'z'].map((name) => network.addNode(name)));
    expect(nodes.map(({ name, addresses }) => `${name} ${addresses[0]}`)).to.eql([
      'x 172.30.0.11',
      'y 172.30.0.12',
      'z 172.30.0.13',
    ]);
    for (const node of nodes)
      for (const other of nodes)
        expect(await ask(node.namespace, other.addresses[1]!, 81)).to.equal('ECONNREFUSED');
  });

  it('refuse a size of packets that IPv6 does not have', async () => {
    let problem: unknown;
    await ClusterNetwork.create({ mtu: 1279 }).catch((error: unknown) => (problem = error));
    expect(problem).to.be.instanceOf(LabNetworkError).with.property('message').that.includes('1280');
  });

  it('have the same addresses in two labs side by side', async () => {
    await using other = await TestCluster.nodes(1, { ipv6: false });
    const pod = await other.pod('a', other.node(1));
    await other.serve(pod, 8080);
    expect(pod.addresses).to.eql(['10.244.1.2']);
    expect(await ask(other.node(1).namespace, '10.244.1.2', 8080)).to.equal('a 172.30.0.11');
    expect(await ask(cluster.node(1).namespace, '10.244.1.2', 8081)).to.equal('ECONNREFUSED');
  });

  it('let a client that breaks off, and one that nobody answers, lose their own connection only', async () => {
    const pod = await cluster.pod('inside', cluster.node(2));
    await cluster.serve(pod, 8080);
    const way = await cluster.network.open({ host: '127.0.0.1', port: 0 }, pod.addresses[0]!, 8080);
    const refused = await cluster.network.open({ host: '127.0.0.1', port: 0 }, pod.addresses[0]!, 81);
    const outcome = (port: number, breakOff: boolean): Promise<string> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => (breakOff ? socket.resetAndDestroy() : undefined));
        let text = '';
        socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(text));
      });
    expect(await outcome(way.port, true)).to.equal('');
    expect(await outcome(refused.port, false)).to.equal('');
    expect(await outcome(way.port, false)).to.equal('inside 172.30.0.1');
  });
});
