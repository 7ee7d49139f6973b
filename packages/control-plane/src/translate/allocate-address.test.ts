import { expect } from 'chai';
import type { ServiceEntry, ServiceEntrySpec, ServiceEntryStatus } from '@ambient/kube';
import { AddressAllocator } from './allocate-address.ts';
import { AddressPool } from './address-pool.ts';
import { serviceEntry } from './translate.test-data.ts';

function due(name: string, spec: ServiceEntrySpec = {}, status?: ServiceEntryStatus): ServiceEntry {
  const entry = serviceEntry(name, 'ns', { hosts: [`${name}.example.com`], resolution: 'DNS', ...spec });
  return { ...entry, ...(status && { status }) };
}

function planned(allocator: AddressAllocator, entry: ServiceEntry): readonly string[] {
  return allocator.plan(entry).addresses.map(({ host, value }) => `${host} ${value}`);
}

/** The entry as it is after its plan was written. */
function written(allocator: AddressAllocator, entry: ServiceEntry): ServiceEntry {
  return { ...entry, status: { addresses: allocator.plan(entry).addresses } };
}

describe('address allocation', () => {
  it('gives each host an address of both families, in the default pools', () => {
    const { addresses, changed } = new AddressAllocator().plan(
      due('a', { hosts: ['a.example.com', 'b.example.com'] }),
    );
    expect(changed).to.equal(true);
    expect(addresses.map(({ host }) => host)).to.deep.equal([
      'a.example.com',
      'a.example.com',
      'b.example.com',
      'b.example.com',
    ]);
    expect(addresses[0]!.value).to.match(/^240\.240\.\d+\.\d+$/);
    expect(addresses[1]!.value).to.match(/^2001:2::[0-9a-f]+$/);
    expect(new Set(addresses.map(({ value }) => value)).size).to.equal(4);
  });

  for (const [what, entry] of [
    ['resolution NONE', due('a', { resolution: 'NONE' })],
    ['no resolution', serviceEntry('a', 'ns', { hosts: ['a.example.com'] })],
    ['addresses of its own', due('a', { addresses: ['192.0.2.1'] })],
    ['a wildcard under DNS', due('a', { hosts: ['*.example.com'] })],
    ['a wildcard under STATIC', due('a', { hosts: ['*.example.com'], resolution: 'STATIC' })],
    ['a host that is refused', due('a', { hosts: ['a/b'] })],
  ] as const) {
    it(`gives nothing to ${what}`, () => {
      expect(new AddressAllocator().plan(entry)).to.deep.equal({
        addresses: [],
        changed: false,
        problems: [],
      });
    });
  }

  it('gives nothing to who opts out by label', () => {
    const entry = due('a');
    const labels = { 'networking.istio.io/enable-autoallocate-ip': 'false' };
    expect(planned(new AddressAllocator(), { ...entry, metadata: { ...entry.metadata, labels } })).to.be
      .empty;
  });

  it('gives an address to a wildcard under DYNAMIC_DNS', () => {
    const entry = due('a', { hosts: ['*.example.com'], resolution: 'DYNAMIC_DNS' });
    expect(planned(new AddressAllocator(), entry)).to.have.length(2);
  });

  it('keeps what stands in the status, and has nothing to write then', () => {
    const addresses = [
      { host: 'a.example.com', value: '240.240.7.3' },
      { host: 'a.example.com', value: '2001:2::703' },
    ];
    const plan = new AddressAllocator().plan(due('a', {}, { addresses }));
    expect(plan).to.deep.equal({ addresses, changed: false, problems: [] });
  });

  it('adds the family that a status lacks', () => {
    const status = { addresses: [{ host: 'a.example.com', value: '240.240.7.3' }] };
    const plan = new AddressAllocator().plan(due('a', {}, status));
    expect(plan.changed).to.equal(true);
    expect(plan.addresses[0]!.value).to.equal('240.240.7.3');
    expect(plan.addresses[1]!.value).to.match(/^2001:2::/);
  });

  it('replaces an address outside the pools', () => {
    const status = { addresses: [{ host: 'a.example.com', value: '10.0.0.1' }] };
    expect(planned(new AddressAllocator(), due('a', {}, status)).join()).not.to.contain('10.0.0.1');
  });

  it('comes to the same after a restart, whatever the order', () => {
    const entries = ['a', 'b', 'c', 'd'].map((name) => due(name));
    const first = new AddressAllocator();
    const plans = new Map(entries.map((entry) => [entry.metadata.name, first.plan(entry).addresses]));
    const second = new AddressAllocator();
    for (const entry of entries.toReversed()) {
      expect(second.plan(entry).addresses).to.deep.equal(plans.get(entry.metadata.name));
    }
  });

  it('gives no address twice, up to the last of a small pool', () => {
    const allocator = new AddressAllocator(['10.9.0.0/24']);
    const given = new Set<string>();
    for (let i = 0; i < 254; i++) {
      const { addresses, problems } = allocator.plan(due(`e${i}`));
      expect(problems).to.be.empty;
      given.add(addresses[0]!.value);
    }
    expect(given.size).to.equal(254);
    expect([...given].some((ip) => ip === '10.9.0.0' || ip === '10.9.0.255')).to.equal(false);
    const { addresses, problems } = allocator.plan(due('late'));
    expect(addresses).to.be.empty;
    expect(problems[0]!.message).to.contain('no address is left');
    allocator.forget('ns', 'e7');
    expect(allocator.plan(due('later')).addresses).to.have.length(1);
  });

  it('takes nothing that a user has written into an entry', () => {
    const wanted = new AddressAllocator().plan(due('a')).addresses[0]!.value;
    const allocator = new AddressAllocator();
    allocator.observe(due('user', { addresses: [wanted] }));
    expect(planned(allocator, due('a')).join()).not.to.contain(`${wanted},`);
  });

  it('lets the older of two entries keep an address that both have', () => {
    const addresses = [{ host: 'x.example.com', value: '240.240.0.9' }];
    const at = (name: string, creationTimestamp: string): ServiceEntry => {
      const entry = due(name, { hosts: ['x.example.com'] }, { addresses });
      return { ...entry, metadata: { ...entry.metadata, creationTimestamp } };
    };
    const older = at('older', '2024-01-01T00:00:00Z');
    const younger = at('younger', '2024-01-01T00:00:01Z');
    const allocator = new AddressAllocator();
    expect(allocator.observe(younger)).to.be.empty;
    expect(allocator.observe(older), 'who has to be planned again').to.deep.equal([
      { namespace: 'ns', name: 'younger' },
    ]);
    expect(planned(allocator, older)[0]).to.equal('x.example.com 240.240.0.9');
    expect(planned(allocator, younger)[0]).not.to.contain('240.240.0.9');
  });

  it('lets two hosts of one entry not share an address', () => {
    const addresses = ['a.example.com', 'b.example.com'].map((host) => ({ host, value: '240.240.0.9' }));
    const entry = due('a', { hosts: ['a.example.com', 'b.example.com'] }, { addresses });
    const values = new AddressAllocator().plan(entry).addresses.map(({ value }) => value);
    expect(new Set(values).size).to.equal(4);
  });

  it('settles: what was planned and written plans no further change', () => {
    const allocator = new AddressAllocator();
    const entry = written(allocator, due('a'));
    allocator.observe(entry);
    expect(allocator.plan(entry).changed).to.equal(false);
    expect(allocator.size).to.equal(2);
  });

  it('plans the same again while the plan is not yet written', () => {
    const allocator = new AddressAllocator();
    const first = allocator.plan(due('a'));
    allocator.plan(due('b'));
    expect(allocator.plan(due('a'))).to.deep.equal(first);
    expect(allocator.size).to.equal(4);
  });

  it('frees the addresses of an entry that is gone', () => {
    const allocator = new AddressAllocator();
    allocator.plan(due('a'));
    allocator.forget('ns', 'a');
    expect(allocator.size).to.equal(0);
  });

  it('survives a status that is anything but a list of addresses', () => {
    const status = {
      addresses: [null, 7, { host: 'a.example.com', value: 'x' }],
    } as unknown as ServiceEntryStatus;
    expect(planned(new AddressAllocator(), due('a', {}, status))).to.have.length(2);
  });

  for (const range of ['x', '240.240.0.0/33', '10.0.0.1', '10.0.0.0/31']) {
    it(`refuses the pool ${range}`, () => {
      expect(() => new AddressPool(range))
        .to.throw()
        .with.property('code', 'ADDRESS_POOL');
    });
  }
});
