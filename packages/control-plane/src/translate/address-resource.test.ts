import { istio } from '@ambient/wire';
import { expect } from 'chai';
import { serviceResource, workloadResource } from './address-resource.ts';

const ip = new Uint8Array([10, 0, 0, 1]);

describe('Address resources', () => {
  it('of a workload: its uid, the addresses that it owns as aliases, its node and services', () => {
    const resource = workloadResource({
      uid: 'u',
      addresses: [ip],
      network: 'n',
      node: 'n1',
      services: { 'a/b': {} },
    });
    expect(resource).to.deep.include({
      name: 'u',
      aliases: ['n/10.0.0.1'],
      node: 'n1',
      serviceKeys: ['a/b'],
    });
    expect(istio.workload.Address.decode(resource.bytes).workload!.uid).to.equal('u');
  });

  it('of a workload on the network of its host: no alias, for the address is not its own', () => {
    const networkMode = istio.workload.NetworkMode.HOST_NETWORK;
    expect(workloadResource({ uid: 'u', addresses: [ip], networkMode }).aliases).to.be.empty;
  });

  it('of a service: namespace/hostname, with addresses and ranges as aliases', () => {
    const addresses = [{ address: ip }, { network: 'n', address: ip, length: 8 }];
    const resource = serviceResource({ namespace: 'ns', hostname: 'h', addresses });
    expect(resource).to.deep.include({ name: 'ns/h', aliases: ['/10.0.0.1', 'n/10.0.0.1/8'] });
  });

  it('leave defaults off the wire', () => {
    const plain = workloadResource({ uid: 'u' }).bytes;
    const explicit = workloadResource({
      uid: 'u',
      network: '',
      status: 0,
      nativeTunnel: false,
      node: '',
    }).bytes;
    expect(explicit).to.deep.equal(plain);
  });
});
