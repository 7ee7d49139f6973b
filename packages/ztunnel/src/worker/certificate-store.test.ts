import { TestIdentities } from '@ambient/hbone/testing';
import { TlsError } from '@ambient/tls';
import { expect } from 'chai';
import type { ProxyError } from '../connections/failure.ts';
import type { IdentityContexts } from './certificate-store.ts';
import { CertificateStore } from './certificate-store.ts';
import type { FromWorker } from './messages.ts';

const me = 'spiffe://cluster.local/ns/a/sa/me';
const you = 'spiffe://cluster.local/ns/a/sa/you';

describe('CertificateStore', () => {
  let identities: TestIdentities;
  let store: CertificateStore;
  let posted: FromWorker[];
  let faults: unknown[];
  let got: (IdentityContexts | ProxyError | undefined)[];

  before(async () => {
    identities = await TestIdentities.issue([me, you]);
  });
  beforeEach(() => {
    posted = [];
    faults = [];
    got = [];
    store = new CertificateStore(
      (message) => posted.push(message),
      {},
      (error) => faults.push(error),
    );
  });
  afterEach(() => {
    store.close();
  });

  const request = (identity: string): void => {
    store.request(identity, (contexts, error) => got.push(contexts ?? error));
  };
  const need = (identity: string): FromWorker => ({ kind: 'need-certificate', identity });

  it('asks the main thread once for all who wait, and then has it at hand', () => {
    request(me);
    request(me);
    request(you);
    expect(posted).to.deep.equal([need(me), need(you)]);
    expect(got).to.deep.equal([]);
    store.set(me, identities.material(me));
    expect(got).to.have.length(2);
    expect(got[0]).to.equal(store.current(me));
    request(me);
    expect(got).to.have.length(3);
    expect(posted).to.have.length(2);
  });

  it('takes a renewed certificate for what comes after, and frees the one before', () => {
    store.set(me, identities.material(me));
    const before = store.current(me)!;
    store.set(me, identities.material(me));
    const after = store.current(me)!;
    expect(after).to.not.equal(before);
    expect([before.client.pointer, before.server.pointer]).to.deep.equal([0, 0]);
    expect([after.client.pointer, after.server.pointer]).to.not.include(0);
  });

  it('tells those who wait that there is none, and asks anew for the next', () => {
    request(me);
    store.fail(me, 'the CA says no');
    expect(got[0]).to.include({ code: 'certificate-unavailable' });
    expect((got[0] as ProxyError).message)
      .to.include('the CA says no')
      .and.include(me);
    request(me);
    expect(posted).to.deep.equal([need(me), need(me)]);
    store.fail(you, 'nobody asked'); // harms nobody
  });

  it('forgets a certificate that is not valid any more', () => {
    store.set(me, identities.material(me));
    const { client } = store.current(me)!;
    store.fail(me, 'it has expired');
    expect(store.current(me)).to.equal(undefined);
    expect(client.pointer).to.equal(0);
  });

  it('one who asks again as soon as he is refused is not lost', () => {
    store.request(me, () => {
      request(me);
    });
    store.fail(me, 'not yet');
    expect(posted).to.deep.equal([need(me), need(me)]);
    store.set(me, identities.material(me));
    expect(got[0]).to.equal(store.current(me));
  });

  it('a certificate that OpenSSL refuses leaves the one before in use', () => {
    store.set(me, identities.material(me));
    const before = store.current(me);
    store.set(me, { ...identities.material(me), privateKeyPem: identities.material(you).privateKeyPem });
    expect(store.current(me)).to.equal(before);
    expect(before!.client.pointer).to.not.equal(0);
    expect(faults[0]).to.be.instanceOf(TlsError).and.have.property('code', 'bad-configuration');
  });

  it('a first certificate that OpenSSL refuses is told to those who wait', () => {
    request(me);
    store.set(me, { ...identities.material(me), rootsPem: [] });
    expect(got[0]).to.include({ code: 'certificate-unavailable' });
    expect((got[0] as ProxyError).message).to.include('root certificates');
  });

  it('a waiter that throws does not keep the others waiting', () => {
    const defect = new Error('a defect');
    store.request(me, () => {
      throw defect;
    });
    request(me);
    store.set(me, identities.material(me));
    expect(got).to.have.length(1);
    expect(faults).to.deep.equal([defect]);
  });
});
