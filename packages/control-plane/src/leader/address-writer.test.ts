import { expect } from 'chai';

import type { ServiceEntry } from '@ambient/kube';
import { testLog } from '@ambient/kube/testing';
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
    this.writer = new AddressWriter({ store: this.store, queue: this.written.queue, log, ranges });
  }

  /** An entry comes or changes. */
  take(name: string, version: string, addresses?: readonly Address[]): void {
    const entry: ServiceEntry = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name, namespace: 'a', uid: name, resourceVersion: version },
      spec: { hosts: [`${name}.example`], ports: [{ number: 80, name: 'http' }], resolution: 'DNS' },
      ...(addresses === undefined ? {} : { status: { addresses } }),
    };
    put(this.store, entry);
    this.writer.take(report('ServiceEntry', `a/${name}`, [{ kind: 'addresses', resourceVersion: version }]));
  }

  /** The addresses of the last request. */
  get last(): readonly Address[] {
    const { status } = this.written.requests.at(-1)!.body as unknown as { status: { addresses: Address[] } };
    return status.addresses;
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
});
