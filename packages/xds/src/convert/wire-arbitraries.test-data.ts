import { istio, typeUrl } from '@ambient/wire';
import type { envoy } from '@ambient/wire';
import fc from 'fast-check';

/** Messages as a control plane could send them: the right shape, and values that are right most of the time. */

const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('a', 'b', 'shop', 'web.shop.svc.cluster.local', '') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('a/b', '__proto__', 'constructor', '\0', 'x'.repeat(300), '\ud800'),
  },
);
const bytesOf = (...lengths: number[]): fc.Arbitrary<Uint8Array>[] =>
  lengths.map((length) => fc.uint8Array({ minLength: length, maxLength: length }));
const ip = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(Buffer.of(10, 0, 0, 1), Buffer.of(10, 0, 0, 2)) },
  { weight: 4, arbitrary: fc.oneof(...bytesOf(4, 16)) },
  { weight: 1, arbitrary: fc.constant(Buffer.from('00000000000000000000ffff0a000001', 'hex')) },
  { weight: 1, arbitrary: fc.oneof(...bytesOf(0, 3, 5, 15, 17)) },
);
const port = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(80, 443, 8080, 15008, 65_535) },
  { weight: 1, arbitrary: fc.constantFrom(0, 65_536, 0xffff_ffff) },
);
/** A number of an enum: one of the first `known`, or now and then one that nobody knows. */
const choice = (known: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 15, arbitrary: fc.nat(known - 1) },
    { weight: 1, arbitrary: fc.constantFrom(known, 99, -1, 0x7fff_ffff) },
  );
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { freq: 3 });
const few = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { maxLength: 3 });

const networkAddress = fc.record({
  network: name,
  address: ip,
  length: maybe(fc.constantFrom(0, 8, 32, 128, 129)),
});
const gateway = fc.oneof(
  { weight: 5, arbitrary: fc.record({ address: networkAddress, hboneMtlsPort: port }) },
  {
    weight: 5,
    arbitrary: fc.record({ hostname: fc.record({ namespace: name, hostname: name }), hboneMtlsPort: port }),
  },
  { weight: 1, arbitrary: fc.record({ hboneMtlsPort: port }) },
);
const ports = few(fc.record({ servicePort: port, targetPort: port, appProtocol: choice(6) }));
const serviceKeys = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('shop/web.shop.svc.cluster.local', 'a/b', '/') },
  { weight: 1, arbitrary: fc.constantFrom('', 'none', '__proto__', 'x/__proto__') },
);

export const wireWorkload: fc.Arbitrary<istio.workload.IWorkload> = fc.record(
  {
    uid: fc.constantFrom('c//Pod/a/1', 'c//Pod/a/2', 'c//Pod/a/3', 'a', ''),
    name,
    namespace: name,
    addresses: few(ip),
    hostname: name,
    network: name,
    tunnelProtocol: choice(2),
    trustDomain: name,
    serviceAccount: name,
    waypoint: maybe(gateway),
    networkGateway: maybe(gateway),
    node: name,
    workloadType: choice(4),
    workloadName: name,
    nativeTunnel: fc.boolean(),
    applicationTunnel: maybe(fc.record({ protocol: choice(2), port })),
    services: fc.dictionary(serviceKeys, fc.record({ ports }), { maxKeys: 3 }),
    authorizationPolicies: few(name),
    status: choice(2),
    clusterId: name,
    locality: maybe(fc.record({ region: name, zone: name, subzone: name })),
    networkMode: choice(2),
    capacity: maybe(fc.record({ value: fc.constantFrom(0, 1, 5, 0xffff_ffff) })),
  },
  { requiredKeys: ['uid'] },
);

export const wireService: fc.Arbitrary<istio.workload.IService> = fc.record(
  {
    name,
    namespace: name,
    hostname: name,
    addresses: few(networkAddress),
    ports,
    subjectAltNames: few(name),
    waypoint: maybe(gateway),
    weightedWaypoints: few(fc.record({ destination: gateway, weight: fc.constantFrom(0, 1, 0xffff_ffff) })),
    loadBalancing: maybe(
      fc.record({
        mode: choice(4),
        routingPreference: few(choice(7)),
        healthPolicy: choice(2),
      }),
    ),
    ipFamilies: choice(4),
    canonical: fc.boolean(),
    visibility: choice(2),
  },
  { requiredKeys: ['hostname'] },
);

const stringMatch: fc.Arbitrary<istio.security.IStringMatch> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ exact: name }) },
  { weight: 4, arbitrary: fc.record({ prefix: name }) },
  { weight: 4, arbitrary: fc.record({ suffix: name }) },
  { weight: 4, arbitrary: fc.constant({ presence: {} }) },
  { weight: 1, arbitrary: fc.constant({}) },
);
const range = fc.record({ address: ip, length: fc.constantFrom(0, 8, 24, 32, 33, 104, 128, 129) });
const account = fc.record({ namespace: name, serviceAccount: name });
const match: fc.Arbitrary<istio.security.IMatch> = fc.record(
  {
    namespaces: few(stringMatch),
    notNamespaces: few(stringMatch),
    serviceAccounts: few(account),
    principals: few(stringMatch),
    notPrincipals: few(stringMatch),
    sourceIps: few(range),
    notDestinationIps: few(range),
    destinationPorts: few(port),
    notDestinationPorts: few(port),
  },
  { requiredKeys: [] },
);

export const wirePolicy: fc.Arbitrary<istio.security.IAuthorization> = fc.record({
  name,
  namespace: name,
  scope: choice(3),
  action: choice(2),
  dryRun: fc.boolean(),
  rules: few(fc.record({ clauses: few(fc.record({ matches: few(match) })) })),
});

type Resource = envoy.service.discovery.v3.IResource;

/** A resource as the control plane names it; `name` is what the resource is called on the wire. */
export function addressOf(
  type: 'workload' | 'service',
  message: object,
  name: string,
  version: string,
): Resource {
  const value = istio.workload.Address.encode({ [type]: message }).finish();
  return { name, version, resource: { type_url: typeUrl.address, value } };
}

export function authorizationOf(message: object, name: string, version: string): Resource {
  const value = istio.security.Authorization.encode(message).finish();
  return { name, version, resource: { type_url: typeUrl.authorization, value } };
}
