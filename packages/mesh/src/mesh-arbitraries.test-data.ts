import fc from 'fast-check';
import { serviceWith, workloadWith } from './defaults.ts';
import type { GatewayAddress, MeshUpdate, PortMapping, Service, Workload } from './types.ts';
import { validateService, validateWorkload } from './validate.ts';

/** Small meshes in which everything refers to something, and much of it to the wrong thing. */

export const someNetwork = fc.constantFrom('', '', 'west');
export const someIp = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.1.0.1', 'fd00::1', '10.5.5.5');
export const someHostname = fc.constantFrom('h1', 'h2', 'h3', 'wp');
export const somePort = fc.constantFrom(80, 8080, 15008, 65_535);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const namespace = fc.constantFrom('ns', 'ns', 'other');

const gateway: fc.Arbitrary<GatewayAddress> = fc.record({
  destination: fc.oneof(
    fc.record({
      kind: fc.constant('address' as const),
      address: fc.record({ network: someNetwork, ip: someIp }),
    }),
    fc.record({ kind: fc.constant('hostname' as const), namespace, hostname: someHostname }),
  ),
  hboneMtlsPort: fc.constantFrom(15008, 80, 0),
});
const ports: fc.Arbitrary<PortMapping[]> = fc.array(
  fc.record({
    servicePort: somePort,
    targetPort: fc.constantFrom(0, 8080, 15008),
    appProtocol: fc.constant('TCP' as const),
  }),
  { maxLength: 3 },
);
const locality = fc.record({
  region: fc.constantFrom('', 'r'),
  zone: fc.constantFrom('', 'z'),
  subzone: fc.constant(''),
});

export const someWorkload: fc.Arbitrary<Workload> = fc
  .record({
    uid: fc.constantFrom('c//Pod/ns/1', 'c//Pod/ns/2', 'c//Pod/other/3', 'c/x/4', 'c/x/5'),
    namespace,
    name: fc.constantFrom('1', '2', 'wp'),
    serviceAccount: fc.constantFrom('default', 'client', 'wp'),
    addresses: fc.uniqueArray(someIp, { maxLength: 2 }),
    hostname: fc.constantFrom('', '', 'h3'),
    network: someNetwork,
    tunnelProtocol: fc.constantFrom('NONE' as const, 'HBONE' as const),
    waypoint: optional(gateway),
    networkGateway: optional(gateway),
    applicationTunnel: optional(
      fc.record({
        protocol: fc.constantFrom('NONE' as const, 'PROXY' as const),
        port: fc.constantFrom(0, 15_088),
      }),
    ),
    services: fc.dictionary(fc.constantFrom('ns/h1', 'ns/h2', 'other/h1', 'ns/wp'), ports, { maxKeys: 3 }),
    authorizationPolicies: fc.subarray(['ns/p', 'other/q']),
    status: fc.constantFrom('HEALTHY' as const, 'HEALTHY' as const, 'UNHEALTHY' as const),
    networkMode: fc.constantFrom('STANDARD' as const, 'STANDARD' as const, 'HOST_NETWORK' as const),
    clusterId: fc.constantFrom('Kubernetes', 'east'),
    node: fc.constantFrom('', 'n1'),
    locality,
    capacity: fc.constantFrom(0, 1, 1, 3, 0xffff_ffff),
  })
  .map(workloadWith)
  .filter((workload) => validateWorkload(workload).length === 0);

const someService: fc.Arbitrary<Service> = fc
  .record({
    name: fc.constant('s'),
    namespace,
    hostname: someHostname,
    addresses: fc.array(fc.record({ network: someNetwork, ip: someIp }), { maxLength: 2 }),
    cidrAddresses: fc.array(
      fc.record({ network: someNetwork, ip: fc.constantFrom('10.0.0.0', '10.1.0.0'), length: fc.nat(32) }),
      { maxLength: 1 },
    ),
    ports,
    subjectAltNames: fc.constantFrom([], ['spiffe://td/ns/ns/sa/x']),
    waypoint: optional(gateway),
    weightedWaypoints: fc.array(
      fc.record({ destination: gateway, weight: fc.constantFrom(0, 1, 2, 0xffff_ffff) }),
      { maxLength: 2 },
    ),
    loadBalancing: optional(
      fc.record({
        mode: fc.constantFrom(
          'UNSPECIFIED_MODE' as const,
          'STRICT' as const,
          'FAILOVER' as const,
          'PASSTHROUGH' as const,
        ),
        routingPreference: fc.subarray(['NETWORK', 'REGION', 'ZONE', 'NODE', 'CLUSTER'] as const),
        healthPolicy: fc.constantFrom('ONLY_HEALTHY' as const, 'ALLOW_ALL' as const),
      }),
    ),
    ipFamilies: fc.constantFrom('AUTOMATIC' as const, 'IPV4_ONLY' as const, 'IPV6_ONLY' as const),
    canonical: fc.boolean(),
    visibility: fc.constantFrom('PUBLIC' as const, 'NAMESPACE' as const),
  })
  .map(serviceWith)
  .filter((service) => validateService(service).length === 0);

/** Changes in the order in which they come: things appear, change and go. */
export const someUpdates: fc.Arbitrary<MeshUpdate[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: someWorkload.map((workload): MeshUpdate => ({ kind: 'workload', workload })) },
    { weight: 4, arbitrary: someService.map((service): MeshUpdate => ({ kind: 'service', service })) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('c//Pod/ns/1', 'c/x/4', 'ns/h1', 'ns/wp', 'gone')
        .map((key): MeshUpdate => ({ kind: 'remove-address', key })),
    },
  ),
  { maxLength: 16, size: 'max' },
);
