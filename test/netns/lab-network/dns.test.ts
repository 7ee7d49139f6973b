import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { decode, encode } from 'dns-packet';
import type { Answer, RecordType } from 'dns-packet';
import { expect } from 'chai';
import { connectInNamespace } from '@ambient/lab/network';
import { UdpSocket, IoBuffer } from '@ambient/linux';
import { serviceObjects, TestCluster, until } from './test-cluster.ts';
import type { TestPod } from './test-cluster.ts';

const dnsIps = ['10.96.0.10', 'fd96::a'];
const main = join(import.meta.dirname, '../../../packages/lab/src/network/dns/main.ts');

describe('cluster DNS of the lab', () => {
  let cluster: TestCluster;
  let client: TestPod;
  let web: TestPod;

  before(async () => {
    cluster = await TestCluster.start();
    const server = await cluster.pod('coredns', cluster.node(2));
    [client, web] = await Promise.all([
      cluster.pod('client', cluster.node(1)),
      cluster.pod('web-0', cluster.node(1)),
    ]);
    const kubeconfig = join(cluster.directory, 'dns.kubeconfig');
    // As pods do: by the Service of the API.
    writeFileSync(kubeconfig, cluster.api.kubeconfig.replaceAll(cluster.api.url, 'https://10.96.0.1:443'));
    const child = cluster.run(server, [process.execPath, main, '--kubeconfig', kubeconfig]);
    for await (const line of createInterface({ input: child.stdout! }))
      if (line.includes('the zone is known')) break;
    const port53 = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ];
    const [service, ...slices] = serviceObjects({
      name: 'kube-dns',
      targetPort: 53,
      endpoints: [server],
      spec: { clusterIP: dnsIps[0]!, clusterIPs: dnsIps, ports: port53 },
    });
    await cluster.create(service!, ...slices.map((slice) => ({ ...slice, ports: port53 })));
    await cluster.create(
      ...serviceObjects({
        name: 'web',
        targetPort: 8080,
        endpoints: [web],
        spec: { clusterIP: 'None', clusterIPs: ['None'] },
      }),
      ...serviceObjects({ name: 'shop', targetPort: 8080, endpoints: [web] }),
    );
    await until(async () => (await cluster.rules(cluster.node(1))).includes(`${server.addresses[0]}:53`));
    await until(async () => (await ask('shop.default.svc.cluster.local', 'A')).length > 0);
  });
  after(() => cluster[Symbol.asyncDispose]());

  function query(name: string, type: RecordType): Buffer {
    return encode({ type: 'query', id: 7, flags: 0x100, questions: [{ type, name }] });
  }

  async function ask(name: string, type: RecordType, server = dnsIps[0]!): Promise<Answer[]> {
    const any = server.includes(':') ? '::' : '0.0.0.0';
    using socket = client.namespace.enter(() => new UdpSocket({ ip: any, port: 0 }, {}));
    const buffer = new IoBuffer(4096);
    const message = query(name, type);
    message.copy(buffer.bytes);
    socket.send(buffer, 0, message.length, { ip: server, port: 53 });
    let length = 0;
    await until(() => {
      length = socket.recv(buffer, 0, 4096);
      return Promise.resolve(length > 0);
    });
    expect(socket.sender?.ip).to.equal(server);
    return decode(Buffer.from(buffer.bytes.subarray(0, length))).answers ?? [];
  }

  async function askByTcp(name: string, type: RecordType, server: string): Promise<Answer[]> {
    const socket = connectInNamespace(client.namespace, server, 53);
    const message = query(name, type);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    socket.write(Buffer.concat([length, message]));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return decode(answer.subarray(2)).answers ?? [];
  }

  const dataOf = (answers: readonly Answer[]): unknown[] =>
    answers.map((answer) => 'data' in answer && answer.data);

  it('answers pods at the address of its Service, by UDP and TCP, by both families', async () => {
    for (const server of dnsIps)
      for (const by of [ask, askByTcp]) {
        const answers = await by('web-0.web.default.svc.cluster.local', 'A', server);
        expect(dataOf(answers)).to.eql([web.addresses[0]]);
      }
    const [address6] = dataOf(await ask('web.default.svc.cluster.local', 'AAAA')) as string[];
    expect(new URL(`http://[${address6}]`).hostname).to.equal(`[${web.addresses[1]}]`);
  });

  it('follows the API', async () => {
    const name = 'late.default.svc.cluster.local';
    expect(await ask(name, 'A')).to.eql([]);
    const [service] = serviceObjects({ name: 'late', targetPort: 1, endpoints: [] });
    await cluster.create({ ...service!, spec: { type: 'ExternalName', externalName: 'example.com' } });
    await until(async () => (await ask(name, 'CNAME')).length > 0);
    expect(dataOf(await ask(name, 'CNAME'))).to.eql(['example.com']);
    await cluster.delete('/api/v1/namespaces/default/services/late');
    await until(async () => (await ask(name, 'CNAME')).length === 0);
  });
});
