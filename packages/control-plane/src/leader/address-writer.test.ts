import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import { ApplyQueue, KubeStatusError } from '@ambient/kube';
import type { KubeRequest, ServiceEntry } from '@ambient/kube';
import { settled, testLog } from '@ambient/kube/testing';
import { AddressWriter } from './address-writer.ts';
import { emptyStore, put, RecordingQueue, report } from './leader.test-data.ts';

interface Address {
  readonly value: string;
  readonly host: string;
}

class Rig {
  readonly store = emptyStore();
  readonly written = new RecordingQueue();
  readonly log: string[] = [];
  readonly writer: AddressWriter;

  constructor(ranges: readonly string[] = ['240.240.0.0/16', '2001:2::/48']) {
    const log = testLog(this.log);
    const { queue } = this.written;
    this.writer = new AddressWriter({ store: this.store, queue, log, ranges, revision: 'default' });
  }

  /** An entry comes or changes. */
  take(name: string, version: string, addresses?: readonly Address[]): void {
    put(this.store, entryOf(name, version, addresses));
    this.writer.take(report('ServiceEntry', `a/${name}`, [{ kind: 'addresses', resourceVersion: version }]));
  }

  /** The addresses of the last request. */
  get last(): readonly Address[] {
    const { status } = this.written.requests.at(-1)!.body as unknown as { status: { addresses: Address[] } };
    return status.addresses;
  }
}

function entryOf(name: string, version: string, addresses?: readonly Address[]): ServiceEntry {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace: 'a', uid: name, resourceVersion: version },
    spec: { hosts: [`${name}.example`], ports: [{ number: 80, name: 'http' }], resolution: 'DNS' },
    ...(addresses === undefined ? {} : { status: { addresses } }),
  };
}

/** An entry as the API has it, which the writer's own queue writes to. */
class StoredEntry {
  readonly clock = new ManualClock();
  readonly queueLog: string[] = [];
  readonly store = emptyStore();
  readonly writer: AddressWriter;
  /** Methods of the requests, in order. */
  readonly requests: string[] = [];
  entry = entryOf('one', '1');
  /** What others do to the entry just before it is written to. */
  readonly meanwhile: (() => void)[] = [];
  /** And what, while an answer with the entry as it was is on its way. */
  readonly whileRead: (() => void)[] = [];

  constructor() {
    const queue = new ApplyQueue({
      client: { request: <T>(request: KubeRequest) => this.#answer(request) as Promise<T> },
      log: testLog(this.queueLog),
      clock: this.clock,
      random: () => 0.5,
      perSecond: 10,
    });
    queue.start();
    const ranges = ['240.240.0.0/16'];
    this.writer = new AddressWriter({
      store: this.store,
      queue,
      log: testLog(),
      ranges,
      revision: 'default',
    });
    this.writer.lead();
  }

  /** Another version of the entry. */
  change(change: Partial<ServiceEntry> = {}): void {
    const resourceVersion = `${Number(this.entry.metadata.resourceVersion) + 1}`;
    const changed = { ...this.entry, ...change };
    this.entry = { ...changed, metadata: { ...changed.metadata, resourceVersion } };
  }

  /** The watch tells of the entry as it is now. */
  watched(): void {
    const conditions = [
      { kind: 'addresses', resourceVersion: this.entry.metadata.resourceVersion ?? '' },
    ] as const;
    put(this.store, this.entry);
    this.writer.take(report('ServiceEntry', 'a/one', conditions));
  }

  async pass(ms: number): Promise<void> {
    await settled(8);
    this.clock.advance(ms);
    await settled(8);
  }

  get values(): string[] {
    return (this.entry.status?.addresses ?? []).map(({ value }) => value ?? '');
  }

  #answer({ method = 'GET', body }: KubeRequest): Promise<unknown> {
    this.requests.push(method);
    if (method === 'GET') {
      const { entry } = this;
      this.whileRead.shift()?.();
      return Promise.resolve(entry);
    }
    this.meanwhile.shift()?.();
    const { metadata, status } = body as Pick<ServiceEntry, 'metadata' | 'status'>;
    if (metadata.resourceVersion !== this.entry.metadata.resourceVersion)
      return Promise.reject(new KubeStatusError('entry', 409, 'Conflict', 'modified'));
    this.change({ status: { ...this.entry.status, ...status } });
    return Promise.resolve(this.entry);
  }
}

const path = (name: string): string => `/apis/networking.istio.io/v1/namespaces/a/serviceentries/${name}`;

describe('address writer', () => {
  it('writes nothing until it leads, and then what is due', () => {
    const rig = new Rig();
    rig.take('one', '1');
    expect(rig.written.take()).to.deep.equal([]);
    rig.writer.lead();
    expect(rig.written.take()).to.deep.equal([`submit ${path('one')} istio-ip-autoallocate`]);
    expect(rig.last.map(({ host }) => host)).to.deep.equal(['one.example', 'one.example']);
    rig.writer.stopLeading();
    rig.take('two', '2');
    expect(rig.written.take()).to.deep.equal([]);
  });

  it('writes onto the version that it knows, and takes it back when the addresses stand', () => {
    const rig = new Rig();
    rig.writer.lead();
    rig.take('one', '7');
    expect(rig.written.requests[0]?.body['metadata']).to.deep.equal({
      name: 'one',
      namespace: 'a',
      resourceVersion: '7',
    });
    const given = rig.last;
    rig.written.take();
    rig.take('one', '8', given);
    expect(rig.written.take()).to.deep.equal([`withdraw ${path('one')} istio-ip-autoallocate`]);
  });

  it('keeps addresses that were given by whoever led before', () => {
    const rig = new Rig(['240.240.0.0/16']);
    const given = [{ value: '240.240.200.1', host: 'old.example' }];
    rig.take('old', '1', given);
    rig.writer.lead();
    expect(rig.written.take()).to.deep.equal([`withdraw ${path('old')} istio-ip-autoallocate`]);
  });

  it('gives an address of an entry that is gone to another', () => {
    const rig = new Rig(['240.240.0.0/30']);
    rig.writer.lead();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      rig.take(name, '1');
      const plan = rig.last;
      if (plan.length > 0) rig.take(name, '2', plan);
    }
    expect(rig.log.filter((line) => line.startsWith('error no address'))).to.have.length.above(0);
    const starved = rig.log.length;
    rig.store.table('ServiceEntry').remove('a/a');
    rig.writer.take(report('ServiceEntry', 'a/a', []));
    rig.take('f', '1');
    expect(rig.last.map(({ host }) => host)).to.deep.equal(['f.example']);
    expect(rig.log.length, 'further complaints').to.equal(starved);
  });

  it('has nothing to do with other kinds', () => {
    const rig = new Rig();
    rig.writer.lead();
    rig.writer.take(report('Service', 'a/one', [{ kind: 'addresses', resourceVersion: '1' }]));
    expect(rig.written.take()).to.deep.equal([]);
  });

  describe('where somebody else was faster', () => {
    it('gives the addresses to the entry as it is now, without another word of the watch', async () => {
      const stored = new StoredEntry();
      const condition = { type: 'T', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
      stored.meanwhile.push(() => stored.change({ status: { conditions: [condition] } }));
      stored.watched();
      await stored.pass(0);
      expect(stored.requests).to.deep.equal(['PATCH', 'GET', 'PATCH']);
      expect(stored.values).to.have.length(1);
      expect(stored.entry.status?.conditions).to.deep.equal([condition]);
      expect(stored.queueLog).to.deep.equal([]);
    });

    it('leaves addresses alone that were written meanwhile', async () => {
      const stored = new StoredEntry();
      const addresses = [{ host: 'one.example', value: '240.240.9.9' }];
      stored.meanwhile.push(() => stored.change({ status: { addresses } }));
      stored.watched();
      await stored.pass(0);
      expect([stored.requests, stored.values]).to.deep.equal([['PATCH', 'GET'], ['240.240.9.9']]);
    });

    it('goes by the watch where that has told of more than was read', async () => {
      const stored = new StoredEntry();
      stored.meanwhile.push(() => stored.change());
      stored.whileRead.push(() => {
        stored.change({ status: { addresses: [{ host: 'one.example', value: '240.240.9.9' }] } });
        stored.watched();
      });
      stored.watched();
      await stored.pass(60_000);
      expect([stored.requests, stored.values]).to.deep.equal([['PATCH', 'GET'], ['240.240.9.9']]);
    });

    it('writes nothing to an entry that is given to another revision, or is gone', async () => {
      for (const end of [
        (stored: StoredEntry) => {
          const labels = { 'istio.io/rev': 'canary' };
          stored.change({ metadata: { ...stored.entry.metadata, labels } });
        },
        (stored: StoredEntry) => {
          stored.change();
          stored.store.table('ServiceEntry').remove('a/one');
          stored.writer.take(report('ServiceEntry', 'a/one', []));
        },
      ]) {
        const stored = new StoredEntry();
        stored.meanwhile.push(() => end(stored));
        stored.watched();
        await stored.pass(60_000);
        expect([stored.requests, stored.values]).to.deep.equal([['PATCH', 'GET'], []]);
      }
    });

    it('waits longer and longer for one that changes on and on, and gets there in the end', async () => {
      const stored = new StoredEntry();
      for (let i = 0; i < 10; i++) stored.meanwhile.push(() => stored.change());
      stored.watched();
      await stored.pass(0);
      expect(stored.requests.length, 'requests in a row').to.equal(7);
      await stored.pass(1000);
      expect(stored.requests.length, 'a second later').to.equal(14);
      await stored.pass(2500);
      expect(stored.values).to.have.length(1);
      expect(stored.meanwhile).to.deep.equal([]);
      const { length } = stored.requests;
      await stored.pass(600_000);
      expect(stored.requests.length, 'when all is said').to.equal(length);
    });
  });
});
