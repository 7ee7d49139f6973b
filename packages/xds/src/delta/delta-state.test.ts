import { expect } from 'chai';
import { serviceKey } from '@ambient/mesh';
import { istio, typeUrl } from '@ambient/wire';

import { addressResource, authorizationResource } from '../convert/from-mesh.ts';
import { samplePolicy, sampleService, sampleWorkload } from '../convert/samples.test-data.ts';
import { DeltaState } from './delta-state.ts';

const node = { id: 'n' };
const serviceName = serviceKey(sampleService.namespace, sampleService.hostname);

function wildcard(): DeltaState {
  return new DeltaState({ node, onDemand: false });
}

function onDemand(): DeltaState {
  return new DeltaState({ node, onDemand: true });
}

/** A resource whose workload cannot be used, under the given name. */
function badResource(name: string): ReturnType<typeof addressResource> {
  const value = istio.workload.Address.encode({ workload: { uid: name, tunnelProtocol: 2 } }).finish();
  return { name, version: 'bad', resource: { value } };
}

describe('DeltaState', () => {
  it('opens with one wildcard subscription per type, each with the node', () => {
    expect(wildcard().open()).to.deep.equal([
      { node, typeUrl: typeUrl.address, initialResourceVersions: {} },
      { node, typeUrl: typeUrl.authorization, initialResourceVersions: {} },
    ]);
  });

  it('acknowledges with the type and nonce of the response', () => {
    const { reply, updates } = wildcard().receive({
      typeUrl: typeUrl.address,
      nonce: 'n1',
      resources: [addressResource({ workload: sampleWorkload })],
    });
    expect(reply).to.deep.equal({ typeUrl: typeUrl.address, responseNonce: 'n1' });
    expect(updates).to.deep.equal([{ kind: 'workload', workload: sampleWorkload }]);
  });

  it('is ready once, when each wildcard type has been accepted, be it empty', () => {
    const state = wildcard();
    expect(state.receive({ typeUrl: typeUrl.address, nonce: '1' }).becameReady).to.equal(false);
    expect(state.pendingTypes).to.deep.equal([typeUrl.authorization]);
    expect(state.receive({ typeUrl: typeUrl.authorization, nonce: '2' }).becameReady).to.equal(true);
    expect(state.ready).to.equal(true);
    expect(state.receive({ typeUrl: typeUrl.authorization, nonce: '3' }).becameReady).to.equal(false);
  });

  it('is not ready while the only response of a type was rejected in part', () => {
    const state = wildcard();
    state.receive({ typeUrl: typeUrl.authorization, nonce: '1' });
    const bad = state.receive({ typeUrl: typeUrl.address, nonce: '2', resources: [badResource('a')] });
    expect(bad.becameReady).to.equal(false);
    expect(state.receive({ typeUrl: typeUrl.address, nonce: '3' }).becameReady).to.equal(true);
  });

  it('does not wait for addresses when they are fetched on demand', () => {
    const state = onDemand();
    expect(state.pendingTypes).to.deep.equal([typeUrl.authorization]);
    expect(state.receive({ typeUrl: typeUrl.authorization, nonce: '1' }).becameReady).to.equal(true);
  });

  it('rejects one bad resource by name and applies the rest', () => {
    const state = wildcard();
    const { updates, rejected, reply } = state.receive({
      typeUrl: typeUrl.address,
      nonce: 'n',
      resources: [badResource('bad-1'), addressResource({ service: sampleService }), { name: 'empty' }],
      removedResources: ['gone'],
    });
    expect(updates).to.deep.equal([
      { kind: 'service', service: sampleService },
      { kind: 'remove-address', key: 'gone' },
    ]);
    expect(rejected.map((error) => error.resource)).to.deep.equal(['bad-1', 'empty']);
    expect(reply.errorDetail?.message)
      .to.include('bad-1: workload.tunnelProtocol')
      .and.include('; empty: resource: is missing');
    expect(reply.errorDetail?.code ?? 0).to.equal(0);
    expect(state.status()[0]).to.include({ acks: 0, nacks: 1, resources: 1, lastNonce: 'n' });
  });

  it('removes after it updates, so a resource in both lists is gone', () => {
    const { updates } = wildcard().receive({
      typeUrl: typeUrl.address,
      nonce: 'n',
      resources: [addressResource({ workload: sampleWorkload })],
      removedResources: [sampleWorkload.uid],
    });
    expect(updates.map((update) => update.kind)).to.deep.equal(['workload', 'remove-address']);
  });

  it('reopens with the versions that it holds, of a rejected update the last accepted one', () => {
    const state = wildcard();
    state.receive({
      typeUrl: typeUrl.address,
      nonce: '1',
      resources: [
        addressResource({ workload: sampleWorkload }, 'v1'),
        addressResource({ service: sampleService }),
        badResource('never-accepted'),
      ],
    });
    state.receive({ typeUrl: typeUrl.address, nonce: '2', resources: [badResource(sampleWorkload.uid)] });
    state.receive({
      typeUrl: typeUrl.authorization,
      nonce: '3',
      resources: [authorizationResource(samplePolicy)],
    });
    expect(state.open().map((request) => request.initialResourceVersions)).to.deep.equal([
      { [sampleWorkload.uid]: 'v1', [serviceName]: '' },
      { 'shop/deny-far': '' },
    ]);
  });

  it('forgets the version of a removed resource', () => {
    const state = wildcard();
    const resources = [authorizationResource(samplePolicy, 'v1')];
    state.receive({ typeUrl: typeUrl.authorization, nonce: '1', resources });
    const { updates } = state.receive({
      typeUrl: typeUrl.authorization,
      nonce: '2',
      removedResources: ['shop/deny-far'],
    });
    expect(updates).to.deep.equal([{ kind: 'remove-policy', key: 'shop/deny-far' }]);
    expect(state.open()[1]!.initialResourceVersions).to.deep.equal({});
  });

  it('removes what a resource described when the resource goes by another name than its content', () => {
    const state = wildcard();
    const named = { ...addressResource({ workload: sampleWorkload }), name: 'other-name' };
    state.receive({ typeUrl: typeUrl.address, nonce: '1', resources: [named] });
    const renamed = {
      ...addressResource({ workload: { ...sampleWorkload, uid: 'new-uid' } }),
      name: 'other-name',
    };
    expect(
      state
        .receive({ typeUrl: typeUrl.address, nonce: '2', resources: [renamed] })
        .updates.map((u) => u.kind),
    ).to.deep.equal(['remove-address', 'workload']);
    expect(
      state.receive({ typeUrl: typeUrl.address, nonce: '3', removedResources: ['other-name'] }).updates,
    ).to.deep.equal([{ kind: 'remove-address', key: 'new-uid' }]);
  });

  it('keeps what has got another name on the wire', () => {
    const state = wildcard();
    const resource = addressResource({ workload: sampleWorkload });
    const under = (name: string, removed: string[] = []) =>
      state.receive({
        typeUrl: typeUrl.address,
        nonce: 'n',
        resources: [{ ...resource, name }],
        removedResources: removed,
      }).updates;
    under('old');
    expect(under('new', ['old'])).to.deep.equal([{ kind: 'workload', workload: sampleWorkload }]);
    under(sampleWorkload.uid, ['new']);
    const last = state.receive({ typeUrl: typeUrl.address, removedResources: [sampleWorkload.uid] });
    expect(last.updates).to.deep.equal([{ kind: 'remove-address', key: sampleWorkload.uid }]);
  });

  it('refuses a type that it never subscribed to', () => {
    const { reply, updates } = wildcard().receive({ typeUrl: 'x', nonce: 'n', resources: [{ name: 'a' }] });
    expect(reply).to.deep.include({ typeUrl: 'x', responseNonce: 'n' });
    expect(reply.errorDetail?.message).to.include('not subscribed');
    expect(updates).to.deep.equal([]);
  });

  describe('on demand', () => {
    it('opens the address type with a subscription to nothing', () => {
      const [addresses, policies] = onDemand().open();
      expect(addresses).to.deep.include({ resourceNamesSubscribe: ['*'], resourceNamesUnsubscribe: ['*'] });
      expect(policies).to.not.have.property('resourceNamesSubscribe');
    });

    it('asks for one name at a time without a nonce, once, and again on a new stream', () => {
      const state = onDemand();
      const request = { typeUrl: typeUrl.address, resourceNamesSubscribe: ['net-a/10.0.0.1'] };
      expect(state.demand('net-a/10.0.0.1')).to.deep.equal(request);
      expect(state.demand('net-a/10.0.0.1')).to.equal(undefined);
      expect(state.open()[2]).to.deep.equal(request);
    });

    const answers: [string, string, Parameters<DeltaState['receive']>[0]][] = [
      ['the name', sampleWorkload.uid, { resources: [addressResource({ workload: sampleWorkload })] }],
      [
        'an alias',
        'net-a/9.9.9.9',
        { resources: [{ ...addressResource({ workload: sampleWorkload }), aliases: ['net-a/9.9.9.9'] }] },
      ],
      [
        'an address of the workload',
        'net-a/fd00::1',
        { resources: [addressResource({ workload: sampleWorkload })] },
      ],
      [
        'a virtual address of the service',
        '/fd00::96',
        { resources: [addressResource({ service: sampleService })] },
      ],
      ['its removal', 'net-a/10.9.9.9', { removedResources: ['net-a/10.9.9.9'] }],
      ['its rejection', 'bad', { resources: [badResource('bad')] }],
    ];
    for (const [what, name, response] of answers) {
      it(`has a demand answered by ${what}`, () => {
        const state = onDemand();
        state.demand(name);
        const reception = state.receive({ typeUrl: typeUrl.address, nonce: 'n', ...response });
        expect(reception.answered).to.deep.equal([name]);
        expect(state.open()).to.have.length(2);
      });
    }

    it('leaves a demand open that a response does not speak of', () => {
      const state = onDemand();
      state.demand('net-a/10.9.9.9');
      const resources = [addressResource({ workload: sampleWorkload })];
      expect(state.receive({ typeUrl: typeUrl.address, nonce: 'n', resources }).answered).to.deep.equal([]);
      expect(state.open()).to.have.length(3);
    });
  });
});
