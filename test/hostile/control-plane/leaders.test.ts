// Two replicas, one lead: who loses it stops writing, who takes over repeats nothing, and no proxy notices.
import { expect } from 'chai';
import { waitFor } from '@ambient/testkit/lab';

import { Cluster, pod, policy, service, serviceEntry, uidOf } from './cluster.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';
import { FaultyApi } from './faulty-api.ts';
import type { SeenRequest } from './faulty-api.ts';

const lease = '/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/ambient-leader';
/** The lease runs out, and is looked at every two seconds and a bit. */
const takeoverMs = 19_000;

interface Replica {
  readonly name: string;
  readonly api: FaultyApi;
  readonly process: ControlPlaneProcess;
  readonly client: DiscoveryClient;
}

/** What changes the cluster, apart from taking part in the election. */
function writes(requests: readonly SeenRequest[]): string[] {
  const asks = /\/leases|\/tokenreviews$|\/subjectaccessreviews$/;
  return requests
    .filter(({ method, path }) => method !== 'GET' && !asks.test(path))
    .map(({ method, path }) => `${method} ${path}`);
}

/** A cluster with two replicas, of which the first leads. */
class Pair implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly replicas: Replica[] = [];

  constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  static async start(): Promise<Pair> {
    const pair = new Pair(await Cluster.start());
    const { cluster } = pair;
    await cluster.lab.load([
      pod('web-1', 1),
      service('web'),
      policy('deny', { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['plain'] } }] }] }),
      ...['a', 'b', 'c'].map(entry),
    ]);
    const first = await pair.#add('istiod-a');
    await first.process.line({ message: 'leading' });
    await waitFor(async () => (await pair.addresses()).length === 3, 'addresses of three entries');
    await pair.#add('istiod-b');
    return pair;
  }

  get leader(): Replica {
    return this.replicas[0]!;
  }

  get follower(): Replica {
    return this.replicas[1]!;
  }

  /** IPv4 addresses that were given to entries, by entry. */
  async addresses(): Promise<[entry: string, address: string][]> {
    const list = await this.cluster.get<{
      items: { metadata: { name: string }; status?: { addresses?: { value: string }[] } }[];
    }>('/apis/networking.istio.io/v1/serviceentries');
    return list!.items.flatMap(({ metadata, status }) => {
      const address = status?.addresses?.find(({ value }) => value.includes('.'))?.value;
      return address === undefined ? [] : [[metadata.name, address] as [string, string]];
    });
  }

  async holder(): Promise<string> {
    const found = await this.cluster.get<{ spec: { holderIdentity: string } }>(lease);
    return found?.spec.holderIdentity ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, process, api } of this.replicas) {
      client[Symbol.dispose]();
      await process[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    }
    await this.cluster[Symbol.asyncDispose]();
  }

  async #add(name: string): Promise<Replica> {
    const api = await FaultyApi.start(this.cluster.lab.kubeconfig);
    const process = ControlPlaneProcess.spawn(this.cluster.file(name, api.kubeconfig), { POD_NAME: name });
    const { plaintextXds } = await process.serving();
    await process.ready();
    const client = new DiscoveryClient({ address: `127.0.0.1:${plaintextXds}` });
    await client.sync();
    const replica = { name, api, process, client };
    this.replicas.push(replica);
    return replica;
  }
}

function entry(name: string): ReturnType<typeof serviceEntry> {
  return serviceEntry(name, {
    hosts: [`${name}.example`],
    ports: [{ number: 443, name: 'tls' }],
    resolution: 'DNS',
  });
}

describe('two would-be leaders', function () {
  this.timeout(60_000);
  let killed: Pair;
  let frozen: Pair;

  before(async () => {
    [killed, frozen] = await Promise.all([Pair.start(), Pair.start()]);
  });
  after(async () => {
    await killed[Symbol.asyncDispose]();
    await frozen[Symbol.asyncDispose]();
  });

  it('one leads, and the other writes nothing, though both serve the same', async () => {
    const { leader, follower, cluster } = killed;
    await cluster.lab.load([entry('d')]);
    await waitFor(async () => (await killed.addresses()).length === 4, 'the address of a fourth entry');
    await follower.client.until('shop/d.example');
    await waitFor(() => tableOf(leader) === tableOf(follower), 'the same tables');
    expect(writes(leader.api.requests)).not.empty;
    expect(writes(follower.api.requests)).deep.equal([]);
    expect(await killed.holder()).equal('istiod-a');
  });

  // One takes as long as the other: they wait for their leases together.
  it('the leader is killed, or frozen and thawed: the other goes on, nothing is written twice', async () => {
    await Promise.all([leaderIsKilled(killed), leaderIsFrozen(frozen)]);
  });

  async function leaderIsKilled(pair: Pair): Promise<void> {
    const { leader, follower, cluster } = pair;
    const before = await pair.addresses();
    await leader.process.kill('SIGKILL');
    expect((await leader.client.ended()).code).not.equal(0);
    // What is asked for meanwhile is not lost.
    await cluster.lab.load([entry('orphan'), pod('born-meanwhile', 9)]);
    await follower.client.until(uidOf('born-meanwhile'));
    follower.api.requests.length = 0;
    await follower.process.line({ level: 'info', message: 'leading' }, takeoverMs);
    await waitFor(
      async () => (await pair.addresses()).length === before.length + 1,
      'the address of the orphan',
    );
    const after = await pair.addresses();
    expect(after).include.deep.members(before);
    expect(new Set(after.map(([, address]) => address)).size).equal(after.length);
    expect(await pair.holder()).equal('istiod-b');
    // Nothing that was right is written again: what there is to write is about the orphan.
    expect(writes(follower.api.requests).filter((write) => !write.includes('/orphan/'))).deep.equal([]);
    expect(follower.client.open).equal(true);
    expect(follower.client.removed).deep.equal([]);
    expect(follower.process.lines({ level: 'error' })).deep.equal([]);
  }

  async function leaderIsFrozen(pair: Pair): Promise<void> {
    const { leader, follower, cluster } = pair;
    const before = await pair.addresses();
    leader.process.signal('SIGSTOP');
    await follower.process.line({ level: 'info', message: 'leading' }, takeoverMs);
    leader.api.requests.length = 0;
    await cluster.lab.load([entry('contested')]);
    await waitFor(
      async () => (await pair.addresses()).length === before.length + 1,
      'the address of the entry',
    );
    leader.process.signal('SIGCONT');
    await leader.process.line({ level: 'info', message: 'no longer leading' });
    await leader.client.until('shop/contested.example');
    expect(writes(leader.api.requests), 'of who thinks that it leads').deep.equal([]);
    const after = await pair.addresses();
    expect(after).include.deep.members(before);
    expect(new Set(after.map(([, address]) => address)).size).equal(after.length);
    expect(await pair.holder()).equal('istiod-b');
    expect(leader.client.open && follower.client.open).equal(true);
    expect([...leader.client.removed, ...follower.client.removed]).deep.equal([]);
  }

  function tableOf({ client }: Replica): string {
    const resources = [...client.held.values()].flatMap((held) => [...held]);
    return JSON.stringify(resources.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
});
