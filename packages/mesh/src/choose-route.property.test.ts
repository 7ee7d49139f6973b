import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { chooseRoute } from './choose-route.ts';
import { serviceWith, workloadWith } from './defaults.ts';
import { isLoopback } from './ip.ts';
import { MeshStore } from './store.ts';
import type { GatewayAddress, MeshUpdate, PortMapping } from './types.ts';

const network = fc.constantFrom('', 'west');
const ip = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1');
const hostname = fc.constantFrom('h1', 'h2', 'h3');
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const gateway: fc.Arbitrary<GatewayAddress> = fc.record({
  destination: fc.oneof(
    fc.record({ kind: fc.constant('address' as const), address: fc.record({ network, ip }) }),
    fc.record({ kind: fc.constant('hostname' as const), namespace: fc.constant('ns'), hostname }),
  ),
  hboneMtlsPort: fc.constantFrom(15008, 80),
});
const ports: fc.Arbitrary<PortMapping[]> = fc.array(
  fc.record({
    servicePort: fc.constantFrom(80, 15008),
    targetPort: fc.constantFrom(0, 8080),
    appProtocol: fc.constant('TCP' as const),
  }),
  { maxLength: 2 },
);
const workload = fc
  .record({
    addresses: fc.uniqueArray(ip, { maxLength: 2 }),
    hostname: fc.constantFrom('', 'h3'),
    network,
    tunnelProtocol: fc.constantFrom('NONE' as const, 'HBONE' as const),
    waypoint: optional(gateway),
    networkGateway: optional(gateway),
    status: fc.constantFrom('HEALTHY' as const, 'UNHEALTHY' as const),
    capacity: fc.nat(2),
    key: fc.constantFrom('ns/h1', 'ns/h2'),
    ports,
  })
  .map(({ key, ports: mapping, ...fields }) =>
    workloadWith({ uid: '', namespace: 'ns', services: { [key]: mapping }, ...fields }),
  );
const service = fc.record({
  namespace: fc.constant('ns'),
  hostname,
  addresses: fc.array(fc.record({ network, ip: fc.constantFrom('10.1.0.1', '10.1.0.2', '10.0.0.1') }), {
    maxLength: 2,
  }),
  ports,
  waypoint: optional(gateway),
  weightedWaypoints: fc.array(fc.record({ destination: gateway, weight: fc.nat(2) }), { maxLength: 2 }),
  subjectAltNames: fc.constantFrom([], ['spiffe://td/ns/ns/sa/x']),
});

describe('chooseRoute: whatever the mesh looks like', () => {
  it('dials something real or refuses with a reason, and never goes around a waypoint [fuzz]', () => {
    const call = fc.record({
      ip: fc.oneof(ip, fc.constantFrom('10.1.0.1', '10.1.0.2', '127.0.0.1')),
      network,
    });
    fc.assert(
      fc.property(
        fc.array(workload, { maxLength: 5 }),
        fc.array(service, { maxLength: 4 }),
        call,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (workloads, services, { ip: dialled, network: own }, random) => {
          const store = new MeshStore();
          store.apply([
            ...workloads.map((it, i): MeshUpdate => ({
              kind: 'workload',
              workload: { ...it, uid: `w${i}` },
            })),
            ...services.map((it): MeshUpdate => ({ kind: 'service', service: serviceWith(it) })),
          ]);
          const source = workloadWith({
            uid: 'source',
            namespace: 'ns',
            network: own,
            serviceAccount: 'client',
          });
          const route = chooseRoute(store, {
            source,
            sourceIp: '10.9.9.9',
            destination: { ip: dialled, port: 80 },
            network: own,
            selfPorts: [15008],
            random: () => random,
          });

          if (route.kind === 'refused') {
            expect(route.message).to.include(';');
            return;
          }
          if (route.kind !== 'passthrough') {
            expect(route.dial.port).to.be.above(0);
            expect(route.dial.ip === '').to.equal(route.hostnameToResolve !== undefined);
            expect(route.hostnameToResolve).to.not.equal('');
          }
          if (route.kind === 'double-hbone') expect(route.inner.expectedIdentities).to.not.have.length(0);
          // Nothing but a gateway is dialled on another network.
          if (route.kind === 'direct') expect(route.upstream.network).to.equal(own);
          if (route.kind === 'hbone') expect((route.gateway ?? route.upstream)?.network).to.equal(own);

          const found = store.findAddress(own, dialled, 'ns');
          if (found?.kind === 'service') {
            const { waypoint, weightedWaypoints } = found.service.service;
            const guarded = waypoint !== undefined || weightedWaypoints.some(({ weight }) => weight > 0);
            if (guarded && route.kind !== 'double-hbone')
              expect(route).to.include({ via: 'service-waypoint' });
            expect(route.kind).to.not.equal('passthrough');
          } else if (found?.kind === 'workload') {
            const plain = store.serviceByAddress(own, dialled, 'ns') === undefined;
            if (plain && found.workload.waypoint !== undefined)
              expect(route).to.include({ via: 'workload-waypoint' });
          } else if (!isLoopback(dialled)) {
            expect(route.kind).to.equal('passthrough');
          }
        },
      ),
      fuzzBudget(),
    );
  });
});
