import { testCases } from './validation-cases.test-data.ts';

describe('ServiceEntry', () => {
  const entry = (fields: object = {}) => ({
    hosts: ['a.example'],
    resolution: 'STATIC',
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    ...fields,
  });
  testCases('networking.istio.io/ServiceEntry', [
    {
      name: 'takes an entry',
      spec: entry({
        endpoints: [{ address: '10.0.0.1', ports: { http: 8080 }, weight: 1 }],
        addresses: ['240.0.0.1', '10.0.0.0/8'],
        exportTo: ['.'],
      }),
    },
    { name: 'needs a spec', spec: undefined, errors: ['spec'] },
    { name: 'needs a host', spec: entry({ hosts: [] }), errors: ['spec.hosts'] },
    {
      name: 'a host is a name',
      spec: entry({ hosts: ['*', 'a_b', 'a.*.b'] }),
      errors: ['spec.hosts[0]', 'spec.hosts[1]', 'spec.hosts[2]'],
    },
    { name: 'a host stands once', spec: entry({ hosts: ['a.b', 'a.b'] }), errors: ['spec.hosts[1]'] },
    { name: 'a short host is told', spec: entry({ hosts: ['a'] }), warnings: ['spec.hosts[0]'] },
    {
      name: 'ports stand once',
      spec: entry({
        ports: [
          { number: 1, name: 'a' },
          { number: 1, name: 'a' },
        ],
      }),
      errors: ['spec.ports[1].number', 'spec.ports[1].name'],
    },
    {
      name: 'ports are ports',
      spec: entry({
        ports: [
          { number: 0, name: 'a' },
          { name: 'b', targetPort: 70000 },
        ],
      }),
      errors: ['spec.ports[0].number', 'spec.ports[1].number', 'spec.ports[1].targetPort'],
    },
    {
      name: 'a port has a name and a protocol',
      spec: entry({ ports: [{ number: 1, protocol: 'FTP' }] }),
      errors: ['spec.ports[0].name', 'spec.ports[0].protocol'],
    },
    {
      name: 'ranges are not for DNS',
      spec: entry({ resolution: 'DNS', addresses: ['10.0.0.0/8'] }),
      errors: ['spec.addresses'],
    },
    { name: 'an address is one', spec: entry({ addresses: ['x'] }), errors: ['spec.addresses[0]'] },
    {
      name: 'NONE takes no endpoints',
      spec: entry({ resolution: 'NONE', endpoints: [{ address: '1.2.3.4' }] }),
      errors: ['spec.endpoints'],
    },
    {
      name: 'DNS_ROUND_ROBIN takes one',
      spec: entry({ resolution: 'DNS_ROUND_ROBIN', endpoints: [{ address: 'a.b' }, { address: 'c.d' }] }),
      errors: ['spec.endpoints'],
    },
    {
      name: 'STATIC takes IP addresses',
      spec: entry({ endpoints: [{ address: 'a.b' }] }),
      errors: ['spec.endpoints[0].address'],
    },
    {
      name: 'endpoints or a selector',
      spec: entry({ endpoints: [{ address: '1.2.3.4' }], workloadSelector: { labels: { a: 'b' } } }),
      errors: ['spec'],
    },
    {
      name: 'no wildcards in the selector',
      spec: entry({ workloadSelector: { labels: { a: '*' } } }),
      errors: ['spec.workloadSelector.labels["a"]'],
    },
    {
      name: 'exportTo',
      spec: entry({ exportTo: ['.', 'app', '*'] }),
      errors: ['spec.exportTo[1]', 'spec.exportTo[2]'],
    },
    {
      name: 'a service account that would be another identity',
      spec: entry({ endpoints: [{ address: '1.2.3.4', serviceAccount: 'a/../b' }] }),
      errors: ['spec.endpoints[0].serviceAccount'],
    },
  ]);
});
