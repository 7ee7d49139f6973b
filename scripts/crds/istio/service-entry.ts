import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { list, object, oneWord, string, strings, uint32 } from '../schema.ts';
import {
  chartLabels,
  exportTo,
  istioStatus,
  labelSelector,
  networking,
  networkingVersions,
} from './common.ts';
import { endpointFields, endpointRules } from './workload.ts';

const servicePort = object(
  'One port of the service.',
  {
    number: uint32('Port that clients connect to.', { minimum: 1, maximum: 65_535 }),
    protocol: string('HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.', { maxLength: 256 }),
    name: string('Name of the port.', { maxLength: 256 }),
    targetPort: uint32('Port of the endpoints; the same number if left out.', {
      minimum: 1,
      maximum: 65_535,
    }),
  },
  { required: ['number', 'name'] },
);

const spec = object(
  'The service.',
  {
    hosts: list(
      'DNS names of the service, perhaps with a wildcard as the first label.',
      { type: 'string', maxLength: 1024 },
      {
        minItems: 1,
        maxItems: 256,
        rules: [{ rule: "self.all(host, host != '*')", message: 'a host of * alone is too wide' }],
      },
    ),
    addresses: list(
      'Virtual IP addresses, or CIDR ranges.',
      { type: 'string', maxLength: 64 },
      { maxItems: 256 },
    ),
    ports: list('Ports of the service.', servicePort, {
      keys: ['name'],
      maxItems: 256,
      rules: [
        {
          rule: 'self.all(one, self.exists_one(other, one.number == other.number))',
          message: 'port number cannot be duplicated',
        },
      ],
    }),
    location: oneWord('Whether the service belongs to the mesh.', ['MESH_EXTERNAL', 'MESH_INTERNAL']),
    resolution: oneWord('How its endpoints are found.', [
      'NONE',
      'STATIC',
      'DNS',
      'DNS_ROUND_ROBIN',
      'DYNAMIC_DNS',
    ]),
    endpoints: list(
      'The endpoints, if they are listed here.',
      object('One endpoint.', endpointFields, { rules: endpointRules }),
      { maxItems: 4096 },
    ),
    workloadSelector: labelSelector('Pods and WorkloadEntries of the namespace that are the endpoints.'),
    exportTo,
    subjectAltNames: strings("Names that the endpoints' certificates must carry one of."),
  },
  {
    required: ['hosts'],
    rules: [
      {
        rule: '!(has(self.workloadSelector) && has(self.endpoints))',
        message: 'only one of workloadSelector or endpoints can be set',
      },
      {
        rule: "!has(self.addresses) || !self.addresses.exists(address, address.contains('/')) || !has(self.resolution) || self.resolution in ['NONE', 'STATIC']",
        message: 'CIDR addresses are allowed only for NONE/STATIC resolution types',
      },
      {
        rule: "(has(self.resolution) && self.resolution != 'NONE') || !has(self.endpoints)",
        message: 'NONE mode cannot set endpoints',
      },
      {
        rule: "!has(self.resolution) || self.resolution != 'DNS_ROUND_ROBIN' || !has(self.endpoints) || size(self.endpoints) <= 1",
        message: 'DNS_ROUND_ROBIN mode cannot have multiple endpoints',
      },
    ],
  },
);

const status = istioStatus({
  addresses: list(
    'Addresses that the control plane has allocated to the hosts.',
    object('One address.', {
      value: string('IP address.'),
      host: string('The host that it stands for.'),
    }),
  ),
});

export const serviceEntry: Kind = {
  group: 'networking.istio.io',
  kind: 'ServiceEntry',
  plural: 'serviceentries',
  shortNames: ['se'],
  categories: networking,
  description: 'A service that Kubernetes does not know: outside the cluster, or made of listed endpoints.',
  columns: [
    { name: 'Hosts', path: '.spec.hosts', description: 'Names of the service.' },
    { name: 'Location', path: '.spec.location', description: 'Whether it belongs to the mesh.' },
    { name: 'Resolution', path: '.spec.resolution', description: 'How its endpoints are found.' },
    { ...age },
  ],
  versions: versions(networkingVersions, { spec, status }),
  stored: 'v1',
  labels: chartLabels,
};
