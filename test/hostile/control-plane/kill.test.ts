// kill -9 at any moment: whatever was half done, the next process ends where one that was never killed would be.
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import type { JsonObject } from '@ambient/lab';
import { waitFor } from '@ambient/testkit/lab';

import { account, Cluster, namespace, pod, policy, service, serviceEntry, uidOf } from './cluster.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';
import { FaultyApi } from './faulty-api.ts';

/** Of each of two lanes that run beside each other. */
const kills = 10;
/** The first process makes the CA, the later ones have less to write. */
const writesToDieAt = [1, 2, 3, 4, 5, 6, 1, 2, 3, 7];
const secrets = '/api/v1/namespaces/istio-system/secrets';

/** Where a process was killed, for the message of a failure. */
type Moment = string;

/** One cluster on disk, whose control plane is killed again and again. */
class Lane implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly api: FaultyApi;
  readonly moments: Moment[] = [];
  /** Content of the CA's Secret when it was first seen. */
  root: string | undefined;
  /** Addresses as they were first seen, by entry. */
  readonly addresses = new Map<string, string>();
  readonly #directory: string;
  #kubeconfig: string;

  private constructor(cluster: Cluster, api: FaultyApi, directory: string) {
    this.cluster = cluster;
    this.api = api;
    this.#directory = directory;
    this.#kubeconfig = cluster.file('api', api.kubeconfig);
  }

  static async start(): Promise<Lane> {
    const directory = mkdtempSync(join(tmpdir(), 'hostile-kill-'));
    const cluster = await Cluster.start({ dataDir: directory });
    await cluster.lab.load([account('web'), service('web'), pod('web-1', 1)]);
    return new Lane(cluster, await FaultyApi.start(cluster.lab.kubeconfig), directory);
  }

  /** What each round adds: a namespace to be given roots, an entry to be given an address, a policy with a condition. */
  change(round: number): Promise<unknown> {
    return this.cluster.lab.load(added(round));
  }

  /** Starts a process, and kills it when it writes for the `nth` time, or if it has nothing to write, after a while. */
  async killAtWrite(nth: number, round: number): Promise<void> {
    let left = nth;
    const killed = Promise.withResolvers<Moment>();
    const victim = this.spawn();
    this.api.fault = ({ method, path }) => {
      if (method !== 'GET' && --left === 0) {
        victim.signal('SIGKILL');
        killed.resolve(`${method} ${path}`);
      }
      return undefined;
    };
    const change = this.change(round);
    const moment = await Promise.race([killed.promise, pause(2000, 'a time without writes')]);
    this.moments.push(moment);
    await Promise.all([victim.kill('SIGKILL'), change]);
    this.api.fault = undefined;
    await this.look();
  }

  /** Starts a process and kills it after a time, in the midst of changes. */
  async killAfter(ms: number, round: number): Promise<void> {
    const victim = this.spawn();
    const change = pause(ms - randomInt(0, 40)).then(() => this.change(round));
    await pause(ms);
    this.moments.push(`${ms} ms`);
    await victim.kill('SIGKILL');
    await change;
    await this.look();
  }

  spawn(): ControlPlaneProcess {
    return ControlPlaneProcess.spawn(this.#kubeconfig);
  }

  /** What there is once must stay: the root, and the address of an entry. */
  async look(): Promise<void> {
    const at = `after ${this.moments.join(', ')}`;
    const secret = await this.cluster.get<{ data: JsonObject }>(`${secrets}/istio-ca-secret`);
    if (secret !== undefined) {
      const content = JSON.stringify(secret.data);
      expect(content, `the root ${at}`).equal((this.root ??= content));
    }
    const list = await this.cluster.get<{
      items: { metadata: { name: string }; status?: { addresses?: { value: string }[] } }[];
    }>('/apis/networking.istio.io/v1/serviceentries');
    for (const { metadata, status } of list!.items) {
      const address = status?.addresses?.map(({ value }) => value).join();
      const known = this.addresses.get(metadata.name);
      if (known !== undefined) expect(address, `${metadata.name} ${at}`).equal(known);
      else if (address !== undefined) this.addresses.set(metadata.name, address);
    }
  }

  /** Lets a process live, and looks whether all is as it has to be. */
  async converges(): Promise<void> {
    const at = `after ${this.moments.join(', ')}`;
    await using survivor = this.spawn();
    const { plaintextXds } = await survivor.serving();
    await survivor.ready();
    using client = new DiscoveryClient({ address: `127.0.0.1:${plaintextXds}` });
    await client.sync();
    await survivor.line({ message: 'leading' });
    const rounds = Array.from({ length: kills }, (_, round) => round);
    await waitFor(async () => {
      await this.look();
      return this.addresses.size === kills;
    }, `the addresses ${at}`);
    expect(new Set(this.addresses.values()).size, at).equal(kills);
    const certificate = (JSON.parse(this.root!) as Record<string, string>)['ca-cert.pem']!;
    for (const round of rounds) {
      const path = `/api/v1/namespaces/ns-${round}/configmaps/istio-ca-root-cert`;
      const map = await waitFor(
        () => this.cluster.get<{ data: Record<string, string> }>(path),
        `the root in namespace ${round} ${at}`,
      );
      expect(Buffer.from(map.data['root-cert.pem']!).toString('base64')).equal(certificate);
    }
    for (const round of rounds) await client.until(`shop/e-${round}.example`);
    const policies = await this.cluster.get<{ items: { status?: { conditions?: unknown[] } }[] }>(
      '/apis/security.istio.io/v1/authorizationpolicies',
    );
    await waitFor(() => policies!.items.length === kills, 'the policies');
    expect(client.names(), at).include.members([
      uidOf('web-1'),
      ...rounds.flatMap((round) => [uidOf(`p-${round}`), `shop/deny-${round}`]),
    ]);
    // And the API server with it, which begins again from its disk.
    await this.cluster.restart();
    await this.cluster.lab.load([pod('after-restart', 500)]);
    await client.until(uidOf('after-restart'));
    expect(client.removed).deep.equal([]);
    expect(survivor.lines({ level: 'error' })).deep.equal([]);

    // Tables that were reached through ten deaths are those of a process that comes fresh to the same cluster.
    await using fresh = ControlPlaneProcess.spawn(this.#kubeconfig, { POD_NAME: 'istiod-1' });
    const ports = await fresh.serving();
    await fresh.ready();
    using other = new DiscoveryClient({ address: `127.0.0.1:${ports.plaintextXds}` });
    await other.sync();
    await waitFor(() => tables(other) === tables(client), `the same tables ${at}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function added(round: number): JsonObject[] {
  const hosts = [`e-${round}.example`];
  return [
    namespace(`ns-${round}`),
    serviceEntry(`e-${round}`, { hosts, ports: [{ number: 443, name: 'tls' }], resolution: 'DNS' }),
    policy(`deny-${round}`, { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['plain'] } }] }] }),
    pod(`p-${round}`, 100 + round),
  ];
}

function tables({ held }: DiscoveryClient): string {
  const resources = [...held.values()].flatMap((of) => [...of]);
  return JSON.stringify(resources.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('kill -9 at any moment', function () {
  this.timeout(90_000);

  it('ten times by the write that it makes and ten times by the clock: state converges, the root stays', async () => {
    await using byWrite = await Lane.start();
    await using byTime = await Lane.start();
    await Promise.all([
      (async () => {
        for (const [round, nth] of writesToDieAt.entries()) await byWrite.killAtWrite(nth, round);
        await byWrite.converges();
      })(),
      (async () => {
        for (let round = 0; round < kills; round++) await byTime.killAfter(randomInt(300, 1600), round);
        await byTime.converges();
      })(),
    ]);
  });
});
