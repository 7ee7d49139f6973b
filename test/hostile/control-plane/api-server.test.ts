// The API server in all its moods: away, slow, overloaded, forgetful, cut short, or somebody else altogether.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { kindNames } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';

import { CertificateCaller } from './certificate-caller.ts';
import { Cluster, pod, policy, service, uidOf } from './cluster.ts';
import { ControlPlaneInProcess, TestClock } from './control-plane-in-process.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import type { LogLine } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';
import { FaultyApi } from './faulty-api.ts';

const trouble = 'cannot follow the API server, trying again';
const podCount = 20;
/** Kinds that are watched, definitions of kinds included. */
const followed = kindNames.length + 1;
/** Of a kind, in a minute without the API server: the delays between them grow to some seconds. */
const mostAttempts = 33;
/** Seconds of the control plane's clock in one of ours. */
const speed = 10;

describe('an API server that fails', () => {
  let cluster: Cluster;
  let api: FaultyApi;

  before(async () => {
    cluster = await Cluster.start({ watchHistory: 16 });
    await cluster.lab.load([
      ...Array.from({ length: podCount }, (_, index) => pod(`web-${index}`, index)),
      service('web'),
      policy('nobody'),
    ]);
    api = await FaultyApi.start(cluster.lab.kubeconfig);
  });
  after(async () => {
    await api[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    api.comeBack();
    api.fault = undefined;
    api.requests.length = 0;
  });

  describe('while a control plane runs', () => {
    let clock: TestClock;
    let controlPlane: ControlPlaneInProcess;
    let client: DiscoveryClient;
    let known: string[];

    beforeEach(async () => {
      clock = new TestClock(speed);
      controlPlane = await ControlPlaneInProcess.start(api.kubeconfig, clock);
      await controlPlane.line('leading');
      client = new DiscoveryClient({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
      await client.sync();
      await waitFor(() => api.watches >= followed, 'the watches');
      known = client.names();
      client.responses.length = 0;
      api.requests.length = 0;
    });
    afterEach(async () => {
      api.fault = undefined;
      await waitFor(() => api.watches >= followed, 'the watches');
      expect(client.open, 'the stream').equal(true);
      expect(controlPlane.errors()).deep.equal([]);
      client[Symbol.dispose]();
      await controlPlane[Symbol.asyncDispose]();
    });

    /** Waits until the pods could not be followed so many times in a row. */
    function failed(times: number): Promise<unknown> {
      const seen = (): boolean =>
        controlPlane
          .lines(trouble)
          .some(({ path, failures }) => path === '/api/v1/pods' && failures === times);
      return waitFor(seen, `${times} failures`);
    }

    function troubles(pattern: RegExp): LogLine[] {
      return controlPlane.lines(trouble).filter(({ error }) => pattern.test(String(error)));
    }

    /** Something new arrives, and nothing else has changed. */
    async function follows(name: string, index: number): Promise<void> {
      await cluster.lab.load([pod(name, index)]);
      await client.until(uidOf(name));
      expect(client.removed).deep.equal([]);
      expect(client.names().filter((held) => !known.includes(held))).deep.equal([uidOf(name)]);
    }

    it('answers 500 to everything: what is served stays, requests are spaced, and it is followed again', async () => {
      api.fault = () => ({ kind: 'status', status: 500, reason: 'InternalError' });
      api.cutConnections();
      await failed(4);
      const { length } = api.requests.filter(({ path }) => path === '/api/v1/pods');
      expect(length).at.most(5);
      expect(client.responses).deep.equal([]);
      api.fault = undefined;
      await follows('after-500', 100);
      expect(troubles(/500 InternalError: out of order/)).not.empty;
    });

    it('answers 429 with Retry-After: no path is asked again before its time', async () => {
      api.fault = ({ path }) =>
        path.includes('/leases/')
          ? undefined
          : { kind: 'status', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 };
      api.cutConnections();
      await waitFor(
        () => api.requests.filter(({ path }) => path === '/api/v1/services').length >= 3,
        'three requests',
      );
      const times = new Map<string, number[]>();
      for (const { path, method, query, atMs } of api.requests) {
        if (method !== 'GET' || path.includes('/secrets/')) continue;
        const key = `${path} ${query.get('fieldSelector') ?? ''}`;
        times.set(key, [...(times.get(key) ?? []), atMs]);
      }
      for (const [path, [first = 0, ...later]] of times) {
        let lastMs = first;
        for (const atMs of later) {
          expect((atMs - lastMs) * speed, path).greaterThan(900);
          lastMs = atMs;
        }
      }
      api.fault = undefined;
      await follows('after-429', 101);
      expect(troubles(/429 TooManyRequests/)).not.empty;
    });

    it('has forgotten where the watches were (410): everything is listed, and only what differs is pushed', async () => {
      api.fault = ({ isWatch }) =>
        isWatch ? { kind: 'status', status: 500, reason: 'InternalError' } : undefined;
      api.cutConnections();
      await failed(1);
      // More than the server remembers, so that it answers the next watch with 410.
      const gone = Array.from({ length: 30 }, (_, index) => pod(`gone-${index}`, 200 + index));
      await cluster.lab.load(gone);
      for (const each of gone) await cluster.delete(each);
      await cluster.lab.load([pod('stays', 250)]);
      await cluster.delete(pod('after-429', 101));
      api.requests.length = 0;
      api.fault = undefined;
      await client.until(uidOf('stays'));
      await client.until(uidOf('after-429'), false);
      expect(client.removed).deep.equal([uidOf('after-429')]);
      const pushed = client.responses.flatMap(({ resources }) => resources.map(({ name }) => name));
      expect(pushed).deep.equal([uidOf('stays')]);
      const lists = api.requests.filter(({ path, isWatch }) => path === '/api/v1/pods' && !isWatch);
      expect(lists).lengthOf(1);
    });

    it('says within each watch that it is over (ERROR 410), again and again: no hot loop', async () => {
      const expired =
        '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}}';
      let injected = 0;
      const timer = setInterval(() => (injected += api.inject(/pods$/, expired)), 5);
      const startedMs = clock.nowMs();
      await waitFor(() => injected >= 4, 'four expiries');
      clearInterval(timer);
      const tookMs = clock.nowMs() - startedMs;
      const lists = api.requests.filter(({ path }) => path === '/api/v1/pods').length;
      expect(lists, `requests in ${tookMs} ms`).at.most(12);
      expect(tookMs).greaterThan(1000);
      expect(client.responses).deep.equal([]);
      await follows('after-expiries', 102);
    });

    it('writes what is no JSON, or another kind of object, into the watches: it is listed anew, nothing is lost', async () => {
      expect(api.inject(/pods$/, '<html>a proxy speaks</html>')).equal(1);
      expect(
        api.inject(
          /services$/,
          '{"type":"ADDED","object":{"kind":"Teapot","metadata":{"name":7},"spec":"short and stout"}}',
        ),
      ).equal(1);
      expect(api.inject(/endpointslices$/, '{"type":"SHOUTED","object":{}}')).equal(1);
      await waitFor(() => troubles(/a line is no JSON/).length > 0, 'the complaint');
      await waitFor(
        () => troubles(/an event of an unknown type "SHOUTED"/).length > 0,
        'the other complaint',
      );
      await follows('after-garbage', 103);
    });

    it('ends each watch as soon as it has begun: no hot loop, and a line for each', async () => {
      api.fault = ({ isWatch }) =>
        isWatch ? { kind: 'body', text: '', type: 'application/json' } : undefined;
      api.cutConnections();
      await failed(4);
      expect(api.requests.filter(({ path }) => path === '/api/v1/pods')).lengthOf.at.most(5);
      expect(troubles(/watch of \/api\/v1\/pods: the server ended it after \d+ ms/)).not.empty;
      api.fault = undefined;
      await follows('after-brevity', 106);
    });

    it('is somebody else for a while (200, HTML): nothing is taken for an empty cluster', async () => {
      api.fault = () => ({ kind: 'body', text: '<html>please log in</html>' });
      api.cutConnections();
      await failed(3);
      expect(troubles(/the answer is of type "text\/html"; check that the address is that of/)).not.empty;
      expect(troubles(/GET \/api\/v1\/pods: the answer is no JSON/)).not.empty;
      expect(client.responses).deep.equal([]);
      api.fault = undefined;
      await follows('after-html', 104);
    });

    it('cannot be asked about tokens: callers are told to come again, not that they are nobody', async () => {
      api.fault = ({ path }) =>
        path.endsWith('/tokenreviews') ? { kind: 'status', status: 500, reason: 'InternalError' } : undefined;
      const channel = CertificateCaller.trusting(await cluster.roots());
      const address = `localhost:${controlPlane.ports.secureGrpc}`;
      using caller = new CertificateCaller(address, channel);
      expect(await caller.ask({ token: 'a.b.c' })).include({ kind: 'refused', code: status.UNAVAILABLE });
      using stream = new DiscoveryClient({
        address,
        credentials: channel,
        headers: { authorization: 'Bearer a.b.d' },
      });
      expect(await stream.ended()).include({ code: status.UNAVAILABLE });
      const [audit] = controlPlane.lines('certificate refused');
      expect(audit).include({ level: 'warn', reason: 'token-review-unavailable' });
      await controlPlane.line('discovery stream refused');
    });

    it('answers each request late: all goes on, later', async () => {
      api.fault = ({ path }) => ({ kind: 'delay', ms: path.includes('/leases/') ? 0 : 300 });
      api.cutConnections();
      await follows('after-slowness', 105);
    });
  });

  it('is away for a minute: nothing served is lost, few attempts are made, recovery takes seconds', async () => {
    const clock = new TestClock(20);
    await using controlPlane = await ControlPlaneInProcess.start(api.kubeconfig, clock);
    await controlPlane.line('leading');
    using client = new DiscoveryClient({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
    await client.sync();
    client.responses.length = 0;
    const before = client.names();
    const refusedBefore = api.refusedConnections;

    const awayMs = clock.nowMs();
    api.goAway();
    await waitFor(() => clock.nowMs() - awayMs >= 60_000, 'a minute');
    await cluster.lab.load([pod('born-meanwhile', 300)]);
    await cluster.delete(pod('web-0', 0));
    using newcomer = new DiscoveryClient({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
    await newcomer.sync();
    expect(newcomer.names()).deep.equal(before);
    expect(client.responses).deep.equal([]);
    expect(api.refusedConnections - refusedBefore).lessThan(mostAttempts * followed);

    api.comeBack();
    const backMs = clock.nowMs();
    await client.until(uidOf('born-meanwhile'));
    await client.until(uidOf('web-0'), false);
    expect(clock.nowMs() - backMs).lessThan(15_000);
    expect(client.removed).deep.equal([uidOf('web-0')]);
    const [, lost] = [await controlPlane.line('leading', 1), await controlPlane.line('no longer leading')];
    expect(lost['reason']).equal('the lease could not be renewed');
    expect(controlPlane.errors()).deep.equal([]);
  });

  it('cuts its lists short: a control plane that starts serves the whole mesh or nothing', async () => {
    let cuts = 0;
    api.fault = ({ path, isWatch }) =>
      path === '/api/v1/pods' && !isWatch && cuts++ < 3 ? { kind: 'cut', afterBytes: 3000 } : undefined;
    await using controlPlane = ControlPlaneProcess.spawn(cluster.file('faulty', api.kubeconfig));
    const { plaintextXds } = await controlPlane.serving();
    await controlPlane.line({ message: trouble, path: '/api/v1/pods', failures: 1 });
    using early = new DiscoveryClient({ address: `127.0.0.1:${plaintextXds}` });
    expect((await early.ended()).details).match(/has not read the cluster yet/);
    await controlPlane.ready();
    using client = new DiscoveryClient({ address: `127.0.0.1:${plaintextXds}` });
    await client.sync();
    expect(client.names().filter((name) => /Pod\/shop\/web-/.test(name))).lengthOf(podCount - 1);
    await controlPlane.line({ message: trouble, error: /the connection broke within the answer/ });
  });

  it('is not there yet when a control plane starts: it waits, says so, and starts', async () => {
    api.fault = () => ({ kind: 'status', status: 503, reason: 'ServiceUnavailable' });
    await using controlPlane = ControlPlaneProcess.spawn(cluster.file('faulty', api.kubeconfig));
    await controlPlane.line({
      level: 'warn',
      message: 'cannot read the CA yet, trying again',
      error: /503 ServiceUnavailable/,
    });
    api.fault = undefined;
    await controlPlane.ready();
  });

  it('is not there yet when a control plane is told to end: it ends at once, in order', async () => {
    api.fault = () => ({ kind: 'status', status: 503, reason: 'ServiceUnavailable' });
    await using controlPlane = ControlPlaneProcess.spawn(cluster.file('faulty', api.kubeconfig));
    await controlPlane.line({ message: 'cannot read the CA yet, trying again' });
    controlPlane.signal('SIGTERM');
    expect(await controlPlane.exit).deep.equal({ code: 0, signal: null });
    expect(controlPlane.lines({ message: 'stopping', reason: 'SIGTERM' })).lengthOf(1);
  });

  it('forbids what a control plane needs at its start: it ends and names the remedy', async () => {
    api.fault = ({ path }) =>
      path.includes('/secrets/') ? { kind: 'status', status: 403, reason: 'Forbidden' } : undefined;
    await using controlPlane = ControlPlaneProcess.spawn(cluster.file('faulty', api.kubeconfig));
    expect((await controlPlane.exit).code).equal(1);
    const [line] = controlPlane.lines({ message: 'cannot run' });
    expect(line!['error']).match(/403 Forbidden: .*; give the control plane this permission/);
  });

  it('is restored from a backup: what was written after the backup goes, what it had comes', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hostile-backup-'));
    const data = join(directory, 'data');
    const backup = join(directory, 'backup');
    try {
      await using own = await Cluster.start({ dataDir: data });
      await own.lab.load([pod('kept', 1), pod('deleted-later', 2)]);
      await own.restart(() => cpSync(data, backup, { recursive: true }));
      await own.delete(pod('deleted-later', 2));
      await own.lab.load(Array.from({ length: 20 }, (_, index) => pod(`lost-${index}`, 10 + index)));
      await using controlPlane = await ControlPlaneInProcess.start(own.lab.kubeconfig, new TestClock(speed));
      using client = new DiscoveryClient({ address: `127.0.0.1:${controlPlane.ports.plaintextXds}` });
      await client.sync();
      expect(client.holds(uidOf('lost-7'))).equal(true);
      await own.restart(() => {
        rmSync(data, { recursive: true });
        cpSync(backup, data, { recursive: true });
      });
      await client.until(uidOf('lost-7'), false);
      await client.until(uidOf('deleted-later'));
      expect(client.holds(uidOf('kept'))).equal(true);
      await own.lab.load([pod('new-life', 50)]);
      await client.until(uidOf('new-life'));
      expect(client.removed.filter((name) => !/lost-\d+$/.test(name))).deep.equal([]);
      expect(
        controlPlane
          .lines(trouble)
          .map(({ error }) => String(error))
          .join(),
      ).match(/Too large resource version|restored from an older state/);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('says nothing at all any more: a control plane that is told to end does so in seconds', async () => {
    const clock = new TestClock(speed);
    const controlPlane = await ControlPlaneInProcess.start(api.kubeconfig, clock);
    await controlPlane.line('leading');
    api.fault = () => ({ kind: 'delay', ms: 3_600_000 });
    api.cutConnections();
    const told = clock.nowMs();
    await controlPlane[Symbol.asyncDispose]();
    expect(clock.nowMs() - told).lessThan(10_000);
    expect(controlPlane.errors()).deep.equal([]);
  });
});
