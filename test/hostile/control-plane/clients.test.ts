// Discovery clients that do not play along, and many of them at once.
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { waitFor } from '@ambient/testkit/lab';

import { CertificateCaller } from './certificate-caller.ts';
import { account, Cluster, pod, policy, service, uidOf } from './cluster.ts';
import { ControlPlaneInProcess, TestClock } from './control-plane-in-process.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';

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
    await honest.sync();
  });
  after(async () => {
    honest[Symbol.dispose]();
    await controlPlane[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  afterEach('who plays along is served', async () => {
    await change();
    expect(honest.removed).deep.equal([]);
    expect(controlPlane.lines({ level: 'error' })).deep.equal([]);
  });

  /** A new pod, until the honest client knows it. */
  async function change(): Promise<void> {
    const name = `new-${index++}`;
    await cluster.lab.load([pod(name, index)]);
    await honest.until(uidOf(name));
  }

  it('never answer: they are sent one response of each type, and no more piles up for them', async () => {
    using silent = new DiscoveryClient({ address, answers: 'never' });
    await silent.sync();
    for (let round = 0; round < 5; round++) await change();
    expect(silent.responses).lengthOf(2);
    expect(silent.open).equal(true);
  });

  it('never answer for a minute: they are dropped with a line, and come back for all that they lack', async () => {
    await using patient = await ControlPlaneInProcess.start(cluster.lab.kubeconfig, new TestClock(30));
    const other = `127.0.0.1:${patient.ports.plaintextXds}`;
    using silent = new DiscoveryClient({ address: other, answers: 'never' });
    using attentive = new DiscoveryClient({ address: other });
    await attentive.sync();
    const end = await silent.ended();
    expect(end).include({ code: status.RESOURCE_EXHAUSTED });
    expect(end.details).match(/a response was neither accepted nor rejected within 60000 ms/);
    const line = await patient.line('discovery stream refused');
    expect(line).include({ level: 'warn', code: 'XDS_CLIENT_STALLED' });
    expect(attentive.open).equal(true);
    using returned = new DiscoveryClient({ address: other, holds: silent.held });
    await returned.sync();
    expect(returned.names()).deep.equal(attentive.names());
  });

  it('reject everything: they keep their stream, are not sent the same again, and cannot fill the log', async () => {
    using contrary = new DiscoveryClient({ address, answers: 'reject' });
    await contrary.sync();
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
    this.timeout(60_000);
    const tokens = Array.from(
      { length: storm },
      () => cluster.lab.issueToken('istio-system', 'ztunnel', ['istio-ca']).token,
    );
    expect(new Set(tokens).size, 'each is asked about').equal(storm);
    const trusting = CertificateCaller.trusting(roots);
    const connect = (token: string): DiscoveryClient =>
      new DiscoveryClient({
        address: secure,
        credentials: trusting,
        headers: { authorization: `Bearer ${token}` },
        holds: honest.held,
      });
    const clients = tokens.map(connect);
    // Who is told to come later comes again, as a proxy does.
    const comeAgain = (): void => {
      for (const [at, client] of clients.entries()) {
        if (client.open) continue;
        expect(client.status).include({ code: status.UNAVAILABLE });
        client[Symbol.dispose]();
        clients[at] = connect(tokens[at]!);
      }
    };
    try {
      let changes = 0;
      for (; !clients.every(({ synced }) => synced); changes++) {
        await change();
        comeAgain();
      }
      // How fast is for benchmarks to say: this process opens 1,000 sessions of TLS meanwhile, and answers for 1,000 tokens.
      expect(changes, 'that reached who was connected meanwhile').at.least(3);
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
