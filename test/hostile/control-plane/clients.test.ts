// Discovery clients that do not play along, and many of them at once.
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { CertificateCaller } from './certificate-caller.ts';
import { account, Cluster, pod, policy, service, uidOf } from './cluster.ts';
import { ControlPlaneInProcess, TestClock } from './control-plane-in-process.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';
import { waitFor } from './wait-for.ts';

const storm = 1000;

describe('discovery clients that do not play along', () => {
  let cluster: Cluster;
  let controlPlane: ControlPlaneProcess;
  /** Without TLS. */
  let address: string;
  let secure: string;
  let roots: string;
  let honest: DiscoveryClient;
  let index = 1000;

  before(async () => {
    cluster = await Cluster.start();
    await cluster.lab.load([
      ...Array.from({ length: 200 }, (_, at) => pod(`web-${at}`, at)),
      service('web'),
      account('ztunnel', 'istio-system'),
      policy('deny', { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['plain'] } }] }] }),
    ]);
    controlPlane = ControlPlaneProcess.spawn(cluster.file('lab', cluster.lab.kubeconfig), {
      PILOT_MAX_REQUESTS_PER_SECOND: '500',
    });
    const { plaintextXds, grpc } = await controlPlane.serving();
    await controlPlane.ready();
    roots = await cluster.roots();
    secure = `localhost:${grpc}`;
    address = `127.0.0.1:${plaintextXds}`;
    honest = new DiscoveryClient({ address });
    await honest.synced();
  });
  after(async () => {
    honest[Symbol.dispose]();
    await controlPlane[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  afterEach('who plays along is served, at once', async () => {
    const ms = await change();
    expect(ms).lessThan(1000);
    expect(honest.removed).deep.equal([]);
    expect(controlPlane.lines({ level: 'error' })).deep.equal([]);
  });

  /** A new pod. @returns how long it took to the honest client, milliseconds */
  async function change(): Promise<number> {
    const name = `new-${index++}`;
    const startedMs = performance.now();
    await cluster.lab.load([pod(name, index)]);
    await honest.until(uidOf(name));
    return performance.now() - startedMs;
  }

  it('never answer: they are sent one response of each type, and no more piles up for them', async () => {
    using silent = new DiscoveryClient({ address, answers: 'never' });
    await silent.synced();
    for (let round = 0; round < 5; round++) await change();
    expect(silent.responses).lengthOf(2);
    expect(silent.open).equal(true);
  });

  it('never answer for a minute: they are dropped with a line, and come back for all that they lack', async () => {
    await using patient = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, new TestClock(30));
    const other = `127.0.0.1:${patient.ports.plaintextXds}`;
    using silent = new DiscoveryClient({ address: other, answers: 'never' });
    using attentive = new DiscoveryClient({ address: other });
    await attentive.synced();
    const end = await silent.ended();
    expect(end).include({ code: status.RESOURCE_EXHAUSTED });
    expect(end.details).match(/a response was neither accepted nor rejected within 60000 ms/);
    const line = await patient.line('discovery stream refused');
    expect(line).include({ level: 'warn', code: 'XDS_CLIENT_STALLED' });
    expect(attentive.open).equal(true);
    using returned = new DiscoveryClient({ address: other, holds: silent.held });
    await returned.synced();
    expect(returned.names()).deep.equal(attentive.names());
  });

  it('reject everything: they keep their stream, are not sent the same again, and cannot fill the log', async () => {
    using contrary = new DiscoveryClient({ address, answers: 'reject' });
    await contrary.synced();
    for (let round = 0; round < 20; round++) await change();
    await waitFor(() => contrary.holds(uidOf(`new-${index - 1}`)), 'the last change');
    expect(contrary.open).equal(true);
    const sent = contrary.responses.flatMap(({ resources }) =>
      resources.map(({ name, version }) => `${name} ${version}`),
    );
    expect(new Set(sent).size, 'nothing is sent twice').equal(sent.length);
    await controlPlane.line({
      level: 'warn',
      message: 'client rejected a response; it keeps what it had of the resources named',
      error: /I like none of it/,
    });
    expect(controlPlane.lines({ message: /^client rejected/ })).lengthOf.at.most(16);
    expect(await controlPlane.page('/metrics')).match(/pilot_total_xds_rejects\{[^}]*\} [1-9]/);
  });

  it('come back in a storm of 1,000: who is connected goes on, and all are served in the end', async function () {
    this.timeout(40_000);
    const startedMs = performance.now();
    const clients = Array.from({ length: storm }, () => new DiscoveryClient({ address, holds: honest.held }));
    try {
      const worst: number[] = [];
      let synced: Promise<unknown> | undefined = Promise.all(clients.map((client) => client.synced(35_000)));
      void synced.then(() => (synced = undefined));
      while (synced !== undefined && worst.length < 100) worst.push(await change());
      await synced;
      const tookMs = performance.now() - startedMs;
      expect(Math.max(...worst), `of ${worst.length} changes in ${tookMs} ms`).lessThan(3000);
      await waitFor(
        () => clients.every((client) => client.holds(uidOf(`new-${index - 1}`))),
        'the last change',
      );
      expect(clients.every(({ open }) => open)).equal(true);
      // What they held already is not sent again.
      for (const { responses, removed } of clients) {
        expect(removed).deep.equal([]);
        expect(responses.flatMap(({ resources }) => resources).length).lessThan(150);
      }
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
    await waitFor(
      async () => ((await controlPlane.page('/debug/syncz')) as unknown[]).length === 1,
      'their end',
    );
  });
});
