import { expect } from 'chai';
import fc from 'fast-check';
import type { MeshUpdate, Workload } from '@ambient/mesh';
import { fuzzBudget } from '@ambient/testkit';
import { istio, typeUrl } from '@ambient/wire';
import type { envoy } from '@ambient/wire';

import { RejectedResourceError } from '../errors.ts';
import { addressResource, authorizationResource, policyToWire } from './from-mesh.ts';
import { samplePolicy, sampleService, sampleWorkload } from './samples.test-data.ts';
import { addressResourceToMesh, authorizationResourceToMesh, updateKey } from './to-mesh.ts';

/** A value that no enum has yet. */
const future = 99 as number;

function addressOf(address: istio.workload.IAddress, name = 'n'): envoy.service.discovery.v3.IResource {
  return {
    name,
    resource: { type_url: typeUrl.address, value: istio.workload.Address.encode(address).finish() },
  };
}

function policyOf(
  policy: istio.security.IAuthorization,
  name = 'ns/p',
): envoy.service.discovery.v3.IResource {
  return {
    name,
    resource: {
      type_url: typeUrl.authorization,
      value: istio.security.Authorization.encode(policy).finish(),
    },
  };
}

function workloadOf(fields: istio.workload.IWorkload): Workload {
  const update = addressResourceToMesh(addressOf({ workload: { uid: 'u', ...fields } }));
  if (update.kind !== 'workload') throw new Error(`got a ${update.kind}`);
  return update.workload;
}

describe('a resource off the wire', () => {
  it('comes back as it went, whatever its kind', () => {
    expect(addressResourceToMesh(addressResource({ workload: sampleWorkload }))).to.deep.equal({
      kind: 'workload',
      workload: sampleWorkload,
    });
    expect(addressResourceToMesh(addressResource({ service: sampleService }))).to.deep.equal({
      kind: 'service',
      service: sampleService,
    });
    expect(authorizationResourceToMesh(authorizationResource(samplePolicy))).to.deep.equal({
      kind: 'policy',
      key: 'shop/deny-far',
      policy: samplePolicy,
    });
  });

  it('that leaves fields out gets the meaning of their absence', () => {
    const workload = workloadOf({});
    expect(workload).to.deep.include({
      trustDomain: 'cluster.local',
      serviceAccount: 'default',
      clusterId: 'Kubernetes',
      capacity: 1,
      tunnelProtocol: 'NONE',
      workloadType: 'DEPLOYMENT',
      waypoint: undefined,
      locality: { region: '', zone: '', subzone: '' },
    });
    expect(workloadOf({ capacity: {} }).capacity).to.equal(0);
  });

  it('may hold enum values from the future where they only describe', () => {
    expect(workloadOf({ workloadType: future }).workloadType).to.equal('DEPLOYMENT');
    const services = { 'a/b': { ports: [{ servicePort: 80, appProtocol: future }] } };
    expect(workloadOf({ services }).services['a/b']![0]!.appProtocol).to.equal('UNKNOWN');
    const update = addressResourceToMesh(addressOf({ service: { hostname: 'h', visibility: future } }));
    expect(update.kind === 'service' && update.service.visibility).to.equal('PUBLIC');
  });

  it('has an IPv4-mapped address as IPv4', () => {
    const mapped = Buffer.from('00000000000000000000ffff0a000001', 'hex');
    expect(workloadOf({ addresses: [mapped] }).addresses).to.deep.equal(['10.0.0.1']);
    const update = authorizationResourceToMesh(
      policyOf({
        rules: [{ clauses: [{ matches: [{ sourceIps: [{ address: mapped, length: 104 }] }] }] }],
      }),
    );
    expect(
      update.kind === 'policy' && update.policy.rules[0]!.clauses[0]!.matches[0]!.sourceIps,
    ).to.deep.equal([{ ip: '10.0.0.0', length: 8 }]);
  });

  it('with a range as long as the address is a plain address', () => {
    const address = Buffer.from([10, 1, 2, 3]);
    const update = addressResourceToMesh(
      addressOf({
        service: {
          namespace: 'a',
          hostname: 'h',
          addresses: [{ address }, { address, length: 32 }, { address, length: 8 }, { address, length: 0 }],
        },
      }),
    );
    if (update.kind !== 'service') throw new Error('no service');
    expect(update.service.addresses.map((entry) => entry.ip)).to.deep.equal(['10.1.2.3', '10.1.2.3']);
    expect(update.service.cidrAddresses).to.deep.equal([
      { network: '', ip: '10.0.0.0', length: 8 },
      { network: '', ip: '0.0.0.0', length: 0 },
    ]);
    expect(updateKey(update)).to.equal('a/h');
  });

  it('may leave out the value of a map entry, which is an empty list of ports then', () => {
    // uid "u" and services["a/b"] without its field 2.
    const workload = Buffer.from('a20101' + '75' + 'b20105' + '0a03612f62', 'hex');
    const value = Buffer.concat([Buffer.of(0x0a, workload.length), workload]);
    const update = addressResourceToMesh({ name: 'n', resource: { value } });
    expect(update).to.have.nested.property('workload.services').deep.equal({ 'a/b': [] });
  });

  const five = Buffer.from([1, 2, 3, 4, 5]);
  const four = Buffer.from([1, 2, 3, 4]);
  const refusedAddresses: [string, istio.workload.IAddress, string][] = [
    ['neither workload nor service', {}, 'address.type'],
    ['a workload without uid', { workload: { name: 'x' } }, 'workload.uid'],
    ['the retired tunnel protocol', { workload: { uid: 'u', tunnelProtocol: 2 } }, 'workload.tunnelProtocol'],
    ['an unknown status', { workload: { uid: 'u', status: future } }, 'workload.status'],
    ['an unknown network mode', { workload: { uid: 'u', networkMode: future } }, 'workload.networkMode'],
    [
      'an unknown application tunnel',
      { workload: { uid: 'u', applicationTunnel: { protocol: future } } },
      'workload.applicationTunnel.protocol',
    ],
    ['an address of 5 bytes', { workload: { uid: 'u', addresses: [four, five] } }, 'workload.addresses[1]'],
    ['a gateway to nowhere', { workload: { uid: 'u', waypoint: {} } }, 'workload.waypoint.destination'],
    [
      'a gateway with a bad address',
      { workload: { uid: 'u', networkGateway: { address: { address: five } } } },
      'workload.networkGateway.address.address',
    ],
    [
      'a service key without a slash',
      { workload: { uid: 'u', services: { nope: {} } } },
      'workload.services',
    ],
    [
      'a port above 65535',
      { workload: { uid: 'u', services: { 'a/b': { ports: [{ servicePort: 65536 }] } } } },
      'workload.services[a/b].ports[0].servicePort',
    ],
    [
      'a service account that would shift the parts of its identity',
      { workload: { uid: 'u', serviceAccount: 'sa/ns/other' } },
      'workload.serviceAccount',
    ],
    [
      'a service port 0',
      { service: { hostname: 'h', ports: [{ servicePort: 0, targetPort: 80 }] } },
      'service.ports[0].servicePort',
    ],
    ['a service without hostname', { service: { namespace: 'a' } }, 'service.hostname'],
    ['an unknown IP family', { service: { hostname: 'h', ipFamilies: future } }, 'service.ipFamilies'],
    [
      'routing scope 0',
      { service: { hostname: 'h', loadBalancing: { routingPreference: [1, 0] } } },
      'service.loadBalancing.routingPreference[1]',
    ],
    [
      'an unknown balancing mode',
      { service: { hostname: 'h', loadBalancing: { mode: future } } },
      'service.loadBalancing.mode',
    ],
    [
      'an unknown health policy',
      { service: { hostname: 'h', loadBalancing: { healthPolicy: future } } },
      'service.loadBalancing.healthPolicy',
    ],
    [
      'a range longer than the address',
      { service: { hostname: 'h', addresses: [{ address: four, length: 33 }] } },
      'service.addresses[0].length',
    ],
    [
      'a weighted waypoint to nowhere',
      { service: { hostname: 'h', weightedWaypoints: [{ weight: 1 }] } },
      'service.weightedWaypoints[0].destination.destination',
    ],
  ];
  for (const [what, address, path] of refusedAddresses) {
    it(`is refused by name for ${what}`, () => {
      expect(() => addressResourceToMesh(addressOf(address, 'the-name')))
        .to.throw(RejectedResourceError, `the-name: ${path}: `)
        .with.property('code', 'RESOURCE_REJECTED');
    });
  }

  it('is refused without a body or with bytes that are none', () => {
    expect(() => addressResourceToMesh({ name: 'x' })).to.throw(
      RejectedResourceError,
      'x: resource: is missing',
    );
    expect(() =>
      addressResourceToMesh({ name: 'x', resource: { value: Buffer.from('0aff', 'hex') } }),
    ).to.throw(RejectedResourceError, 'x: ');
  });

  const match = (fields: istio.security.IMatch): istio.security.IAuthorization => ({
    rules: [{ clauses: [{}, { matches: [fields] }] }],
  });
  const at = 'authorization.rules[0].clauses[1].matches[0]';
  const refusedPolicies: [string, istio.security.IAuthorization, string][] = [
    ['an unknown scope', { scope: future }, 'authorization.scope'],
    ['an unknown action', { action: future }, 'authorization.action'],
    ['a string match without a kind', match({ principals: [{ exact: 'a' }, {}] }), `${at}.principals[1]`],
    ['a bad address', match({ notSourceIps: [{ address: five }] }), `${at}.notSourceIps[0].address`],
    [
      'a range longer than the address',
      match({ destinationIps: [{ address: four, length: 40 }] }),
      `${at}.destinationIps[0].length`,
    ],
    ['a port above 65535', match({ destinationPorts: [80, 70000] }), `${at}.destinationPorts[1]`],
  ];
  for (const [what, policy, path] of refusedPolicies) {
    it(`of a policy is refused by name for ${what}`, () => {
      expect(() => authorizationResourceToMesh(policyOf(policy))).to.throw(
        RejectedResourceError,
        `ns/p: ${path}: `,
      );
    });
  }

  it('of a policy keeps an empty match empty, and presence and empty text apart', () => {
    const update = authorizationResourceToMesh(
      policyOf(match({ namespaces: [{ presence: {} }, { exact: '' }, { prefix: 'p' }, { suffix: 's' }] })),
    );
    expect(update.kind === 'policy' && update.policy.rules[0]!.clauses).to.have.length(2);
    expect(
      update.kind === 'policy' && update.policy.rules[0]!.clauses[1]!.matches[0]!.namespaces,
    ).to.deep.equal([
      { kind: 'presence', value: '' },
      { kind: 'exact', value: '' },
      { kind: 'prefix', value: 'p' },
      { kind: 'suffix', value: 's' },
    ]);
  });

  it('of a policy without a name is refused, since nothing could refer to it', () => {
    expect(() => authorizationResourceToMesh(policyOf(policyToWire(samplePolicy), ''))).to.throw(
      RejectedResourceError,
      'resource without a name',
    );
  });

  it('either converts or is refused by name, for any bytes [fuzz]', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      // Damaged real messages get further into the decoder than noise.
      fc
        .tuple(fc.nat(10_000), fc.nat(255), fc.constantFrom('workload', 'service', 'policy'))
        .map(([where, value, kind]) => {
          const whole =
            kind === 'policy'
              ? authorizationResource(samplePolicy)
              : addressResource(
                  kind === 'workload' ? { workload: sampleWorkload } : { service: sampleService },
                );
          const copy = Uint8Array.from(whole.resource!.value!);
          copy[where % copy.length] = value;
          return copy;
        }),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        for (const convert of [addressResourceToMesh, authorizationResourceToMesh]) {
          let update: MeshUpdate;
          try {
            update = convert({ name: 'fuzz', resource: { value } });
          } catch (error) {
            expect(error).to.be.instanceOf(RejectedResourceError);
            continue;
          }
          expect(structuredClone(update)).to.deep.equal(update);
        }
      }),
      fuzzBudget(),
    );
  });
});
