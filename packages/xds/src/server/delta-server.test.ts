import { typeUrl } from '@ambient/wire';
import { expect } from 'chai';

import { Bench, node, resource, ScriptedClient } from './server.test-data.ts';

const { address, authorization } = typeUrl;
const byName = { resourceNamesSubscribe: ['*'], resourceNamesUnsubscribe: ['*'] };

describe('DeltaServer', () => {
  it('answers a wildcard subscription, even when there is nothing', async () => {
    const bench = new Bench();
    const client = await bench.connect();
    client.send({ node, typeUrl: address });
    client.send({ typeUrl: authorization });
    expect(client.news()).deep.equal([
      ['address', [], []],
      ['policy', [], []],
    ]);
  });

  it('sends policies before the addresses that were asked for earlier, or addresses alone after the grace', async () => {
    const bench = new Bench({ orderGraceMs: 50 });
    bench.addresses.apply([resource('w')], []);
    bench.policies.apply([resource('p')], []);
    const [both, one] = [await bench.connect(), await bench.connect()];
    for (const client of [both, one]) client.send({ node, typeUrl: address });
    expect([both.news(), one.news()]).deep.equal([[], []]);
    both.send({ typeUrl: authorization });
    expect(both.news()).deep.equal([
      ['policy', ['p'], []],
      ['address', ['w'], []],
    ]);
    bench.clock.advance(50);
    expect(one.news()).deep.equal([['address', ['w'], []]]);
  });

  it('sends a new policy before its workload and a removed one after, also to a client that is late', async () => {
    const bench = new Bench();
    bench.policies.apply([resource('old')], []);
    const client = await bench.connect();
    client.send({ node, typeUrl: authorization });
    bench.addresses.apply([resource('w1')], []);
    bench.policies.apply([resource('new')], ['old']);
    client.send({ typeUrl: address });
    bench.settle();
    expect(client.news()).deep.equal([['policy', ['old'], []]]);
    client.answerTo(client.responses[0]!);
    expect(client.news()).deep.equal([
      ['policy', ['new'], []],
      ['address', ['w1'], []],
    ]);
    client.answerTo(client.responses[1]!);
    expect(client.news()).deep.equal([['policy', [], ['old']]]);
  });

  it('shares one encoding, nonce included, among clients in step, and sends each change once', async () => {
    const bench = new Bench();
    const clients = [await bench.connect(), await bench.connect()];
    for (const client of clients) {
      client.send({ node, typeUrl: address });
      client.answer();
    }
    bench.addresses.apply([resource('a', '1'), resource('b', '1')], []);
    bench.addresses.apply([resource('a', '2')], ['b']);
    bench.settle();
    const [one, two] = clients.map((client) => client.responses.at(-1)!);
    expect(one!.nonce).equal(two!.nonce);
    expect(clients[0]!.news().at(-1)).deep.equal(['address', ['a'], ['b']]);
    expect(bench.latencies.every((seconds) => seconds === 0.02)).equal(true);
  });

  it('gathers changes until they pause, but not for ever', async () => {
    const bench = new Bench({ debounceAfterMs: 10, debounceMaxMs: 35 });
    const client = await bench.connect();
    client.send({ node, typeUrl: address });
    client.answer();
    client.news();
    for (let count = 0; count < 4; count++) {
      bench.addresses.apply([resource(`w${count}`)], []);
      bench.clock.advance(9);
    }
    expect(client.news()).deep.equal([['address', ['w0', 'w1', 'w2', 'w3'], []]]);
  });

  it('sends a returning client only what differs', async () => {
    const bench = new Bench();
    bench.addresses.apply(
      [resource('same', 'x', { version: '1' }), resource('other', 'x', { version: '2' })],
      [],
    );
    bench.addresses.apply([resource('no-version', 'x', { version: '' })], []);
    const client = await bench.connect();
    const held = { same: '1', other: '1', gone: '1', 'no-version': '' };
    client.send({ node, typeUrl: address, initialResourceVersions: held });
    expect(client.news()).deep.equal([['address', ['no-version', 'other'], ['gone']]]);
  });

  it('sends nothing more to a client that has not answered, then only the newest state', async () => {
    const bench = new Bench();
    const client = await bench.connect();
    client.send({ node, typeUrl: address });
    for (const content of ['1', '2', '3']) {
      bench.addresses.apply([resource('w', content)], []);
      bench.settle();
    }
    expect(client.responses.length).equal(1);
    client.answer();
    expect(client.responses.length).equal(2);
    expect(client.held.get(address)!.get('w')).equal(bench.addresses.get('w')!.version);
  });

  it('writes nothing to a transport that is full, until it is drained', async () => {
    const bench = new Bench();
    const client = await bench.connect();
    client.writable = false;
    client.send({ node, typeUrl: authorization });
    client.answer();
    bench.policies.apply([resource('p')], []);
    bench.settle();
    expect(client.responses.length).equal(1);
    client.events!.drained();
    expect(client.responses.length).equal(2);
  });

  it('encodes a large table in slices, for all who wait for it once', async () => {
    const bench = new Bench();
    bench.addresses.apply(
      Array.from({ length: 2000 }, (_, at) => resource(`w${at}`)),
      [],
    );
    const clients = [await bench.connect(), await bench.connect()];
    for (const client of clients) client.send({ node, typeUrl: address });
    expect(clients[0]!.responses.length).equal(0);
    bench.settle();
    for (const client of clients) expect(client.held.get(address)!.size).equal(2000);
    expect(clients[0]!.responses[0]!.nonce).equal(clients[1]!.responses[0]!.nonce);
  });

  it('splits what is longer than a response may be', async () => {
    const bench = new Bench({ maxResponseBytes: 200 });
    bench.addresses.apply(
      Array.from({ length: 10 }, (_, at) => resource(`w${at}`)),
      [],
    );
    const client = await bench.connect();
    client.send({ node, typeUrl: address });
    for (let answered = 0; answered < client.responses.length; answered++)
      client.answerTo(client.responses[answered]!);
    expect(client.responses.length).greaterThan(1);
    expect(client.held.get(address)!.size).equal(10);
  });

  it('keeps newcomers waiting for their first response while too much is unsent, but not for ever', async () => {
    const bench = new Bench({ maxUnflushedBytes: 300_000 });
    bench.addresses.apply([resource('w', 'x'.repeat(400_000))], []);
    const [slow, next] = [await bench.connect(), await bench.connect()];
    const write = slow.write.bind(slow);
    slow.write = (bytes) => write(bytes, () => {});
    slow.send({ node, typeUrl: address });
    next.send({ node, typeUrl: address });
    expect([slow.responses.length, next.responses.length]).deep.equal([1, 0]);
    bench.clock.advance(5000);
    expect(next.responses.length).equal(1);
  });

  it('refuses everybody before the tables are complete and after the end', async () => {
    const bench = new Bench();
    const client = await bench.connect();
    bench.server.stop();
    expect(client.closed).equal(null);
    expect((await bench.connect()).closed!.code).equal('XDS_NOT_READY');
    expect(bench.clock.pendingTimers).equal(0);
  });
});

describe('DeltaServer, by name', () => {
  const pod = resource('c//Pod/ns/a', '1', {
    aliases: ['/10.0.0.1'],
    node: 'node-2',
    serviceKeys: ['ns/svc'],
  });
  const local = resource('c//Pod/ns/local', '1', { aliases: ['/10.0.0.2'], node: 'node-1' });
  const service = resource('ns/svc', '1', { aliases: ['/10.96.0.1'] });

  async function subscribed(bench: Bench): Promise<ScriptedClient> {
    const client = await bench.connect();
    client.send({ node, typeUrl: address, ...byName });
    return client;
  }
  const rows: [string, string, string[], string[]][] = [
    ['a uid', pod.name, [pod.name], []],
    [
      'an address, which is listed as removed so that the waiter wakes',
      '/10.0.0.1',
      [pod.name],
      ['/10.0.0.1'],
    ],
    ['a service with its workloads', service.name, [service.name, pod.name], []],
    ['the address of a service', '/10.96.0.1', [service.name, pod.name], ['/10.96.0.1']],
    ['what does not exist', '/10.9.9.9', [], ['/10.9.9.9']],
    ['what is held already', local.name, [local.name], []],
  ];
  for (const [title, key, found, removed] of rows)
    it(`answers ${title}`, async () => {
      const bench = new Bench();
      bench.addresses.apply([pod, local, service], []);
      const client = await subscribed(bench);
      expect(client.news()).deep.equal([['address', [local.name], []]]);
      client.answer();
      client.send({ typeUrl: address, resourceNamesSubscribe: [key] });
      expect(client.news()).deep.equal([['address', [...found].sort(), removed]]);
    });

  it('sends aliases to clients by name only', async () => {
    const bench = new Bench();
    bench.addresses.apply([local], []);
    const wildcard = await bench.connect();
    wildcard.send({ node, typeUrl: address });
    expect((await subscribed(bench)).responses[0]!.resources[0]!.aliases).deep.equal(['/10.0.0.2']);
    expect(wildcard.responses[0]!.resources[0]!.aliases).deep.equal([]);
  });

  it('sends unasked what joins its node or a service that it asked for, and nothing else', async () => {
    const bench = new Bench();
    bench.addresses.apply([service], []);
    const client = await subscribed(bench);
    client.answer();
    client.send({ typeUrl: address, resourceNamesSubscribe: ['/10.96.0.1'] });
    client.answer();
    client.news();
    bench.addresses.apply([pod, local, resource('c//Pod/ns/far', '1', { node: 'node-3' })], []);
    bench.settle();
    expect(client.news()).deep.equal([['address', [pod.name, local.name], []]]);
    client.answer();
    bench.addresses.apply([], [pod.name, 'c//Pod/ns/far']);
    bench.settle();
    expect(client.news()).deep.equal([['address', [], [pod.name]]]);
  });

  it('tells what one stream has asked for and been sent, and nothing of one that is over', async () => {
    const bench = new Bench();
    bench.addresses.apply([service, pod, local], []);
    const everything = await bench.connect();
    everything.send({ node, typeUrl: address });
    const byName = await subscribed(bench);
    byName.send({ typeUrl: address, responseNonce: '', resourceNamesSubscribe: ['/10.96.0.1'] });
    byName.answer();
    expect(bench.server.holdings(1)).deep.equal([{ typeUrl: address, asked: [], sent: undefined }]);
    const [held] = bench.server.holdings(2)!;
    expect([held!.asked, held!.sent!.includes(service.name)]).deep.equal([['/10.96.0.1'], true]);
    everything.events!.ended();
    expect(bench.server.holdings(1)).equal(undefined);
  });

  it('sends nothing more of a name that the client gave up', async () => {
    const bench = new Bench();
    bench.addresses.apply([pod], []);
    const client = await subscribed(bench);
    client.answer();
    client.send({ typeUrl: address, resourceNamesSubscribe: ['/10.0.0.1'] });
    client.answer();
    client.send({ typeUrl: address, resourceNamesUnsubscribe: ['/10.0.0.1'] });
    client.news();
    bench.addresses.apply([{ ...pod, bytes: Buffer.from('2') }], []);
    bench.settle();
    expect(client.news()).deep.equal([]);
  });

  it('changes between everything and names', async () => {
    const bench = new Bench();
    bench.addresses.apply([pod, local], []);
    const client = await subscribed(bench);
    client.answer();
    client.send({ typeUrl: address, resourceNamesSubscribe: ['*'] });
    client.answer();
    expect(client.news().at(-1)).deep.equal(['address', [pod.name], []]);
    client.send({ typeUrl: address, resourceNamesUnsubscribe: ['*'] });
    bench.addresses.apply([], [pod.name]);
    bench.settle();
    expect(client.news()).deep.equal([]);
  });

  it('tells a returning client what vanished of what it holds', async () => {
    const bench = new Bench();
    bench.addresses.apply([pod], []);
    const client = await bench.connect();
    const held = { [pod.name]: bench.addresses.get(pod.name)!.version, gone: '1' };
    client.send({ node, typeUrl: address, ...byName, initialResourceVersions: held });
    expect(client.news()).deep.equal([['address', [], ['gone']]]);
  });
});

describe('DeltaServer, hostile clients', () => {
  it('closes a client that never answers, and only it', async () => {
    const bench = new Bench({ answerTimeoutMs: 3000 });
    const [silent, good] = [await bench.connect(), await bench.connect()];
    for (const client of [silent, good]) client.send({ node, typeUrl: address });
    good.answer();
    bench.clock.advance(4000);
    expect([silent.closed!.code, good.closed]).deep.equal(['XDS_CLIENT_STALLED', undefined]);
  });

  it('closes a client that never asks', async () => {
    const bench = new Bench({ answerTimeoutMs: 3000 });
    const client = await bench.connect();
    bench.clock.advance(4000);
    expect(client.closed!.code).equal('XDS_CLIENT_SILENT');
  });

  it('counts the NACKs of a client that rejects all, shows them, and does not repeat itself', async () => {
    const bench = new Bench();
    bench.addresses.apply([resource('w')], []);
    const client = await bench.connect();
    client.send({ node, typeUrl: address });
    client.answer('I do not like it');
    expect([bench.rejected, client.responses.length]).deep.equal([[address], 1]);
    const [type] = bench.server.connections()[0]!.types;
    expect([type!.nacks, type!.lastError, type!.ackedNonce]).deep.equal([1, 'I do not like it', '']);
    bench.addresses.apply([resource('w', '2')], []);
    bench.settle();
    expect(client.responses.length).equal(2);
  });

  it('takes a wrong nonce for no answer', async () => {
    const bench = new Bench();
    const client = await bench.connect();
    client.send({ node, typeUrl: address });
    client.send({ typeUrl: address, responseNonce: 'wrong' });
    bench.addresses.apply([resource('w')], []);
    bench.settle();
    expect(client.responses.length).equal(1);
  });

  it('answers an unknown type emptily and its ACK not at all, and closes who asks for many', async () => {
    const bench = new Bench();
    const client = await bench.connect();
    client.send({ node, typeUrl: 'type.googleapis.com/agentgateway.dev.resource.Resource' });
    client.answer();
    expect(client.responses.length).equal(1);
    for (let count = 0; count < 16; count++) client.send({ typeUrl: `other-${count}` });
    expect(client.closed!.code).equal('XDS_TOO_MANY_TYPES');
  });

  it('closes a client that sends garbage', async () => {
    const bench = new Bench();
    const [bad, good] = [await bench.connect(), await bench.connect()];
    bad.events!.receive(Buffer.from([0xff, 0xff, 0xff]));
    good.send({ node, typeUrl: address });
    expect([bad.closed!.code, good.responses.length]).deep.equal(['XDS_REQUEST_MALFORMED', 1]);
  });

  it('closes a client with 10 MB of subscriptions, in one request or many', async () => {
    const bench = new Bench({ maxNames: 10_000 });
    const names = (from: number): string[] =>
      Array.from({ length: 5000 }, (_, at) => `ns/${from + at}`.padEnd(1000, 'x'));
    const [once, often] = [await bench.connect(), await bench.connect()];
    once.send({
      node,
      typeUrl: address,
      resourceNamesSubscribe: [...names(0), ...names(5000), ...names(9000)],
    });
    often.send({ node, typeUrl: address, ...byName });
    for (let from = 0; from < 15_000; from += 5000)
      often.send({ typeUrl: address, resourceNamesSubscribe: names(from) });
    expect([once.closed!.code, often.closed!.code]).deep.equal(['XDS_TOO_MANY_NAMES', 'XDS_TOO_MANY_NAMES']);
  });

  it('closes a client that asks for a name longer than any that exists', async () => {
    const bench = new Bench();
    const client = await bench.connect();
    client.send({ node, typeUrl: address, resourceNamesSubscribe: ['x'.repeat(1025)] });
    expect(client.closed!.code).equal('XDS_TOO_MANY_NAMES');
  });

  it('admits a storm of 1,000 at a bounded rate and loses nobody who is connected', async () => {
    const bench = new Bench({ admissionsPerSecond: 100, maxWaiting: 2000 });
    const old = await bench.connect();
    old.send({ node, typeUrl: address });
    old.answer();
    const storm = Array.from({ length: 1000 }, () => {
      const client = new ScriptedClient(() => Promise.resolve({ principal: 'storm' }));
      client.events = bench.server.accept(client);
      return client;
    });
    bench.clock.advance(1000);
    await storm[0]!.reading;
    expect(bench.server.connectionCount).within(90, 120);
    bench.addresses.apply([resource('w')], []);
    bench.settle();
    expect(old.held.get(address)!.has('w')).equal(true);
    for (let second = 0; second < 10; second++) {
      bench.clock.advance(1000);
      // Who was admitted is authenticated by promises, for which the paused clock does not wait.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(storm.map((client) => client.reading));
    expect([bench.server.connectionCount, bench.refused]).deep.equal([1001, []]);
  });

  it('refuses who comes when too many wait, and gives up the place of who left', async () => {
    const bench = new Bench({ admissionsPerSecond: 1, maxWaiting: 1 });
    await bench.connect();
    const [waiting, late, next] = [1, 2, 3].map(
      () => new ScriptedClient(() => Promise.resolve({ principal: 'x' })),
    );
    waiting!.events = bench.server.accept(waiting!);
    bench.server.accept(late!);
    expect(late!.closed!.code).equal('XDS_OVERLOADED');
    waiting!.events.ended();
    next!.events = bench.server.accept(next!);
    expect(next!.closed).equal(undefined);
  });

  it('does not wait for ever for who the client is', async () => {
    const bench = new Bench({ authenticationTimeoutMs: 1000 });
    const client = new ScriptedClient(() => new Promise(() => {}));
    client.events = bench.server.accept(client);
    bench.clock.advance(1000);
    await client.reading;
    expect(client.closed!.code).equal('XDS_AUTHENTICATION_FAILED');
  });
});
