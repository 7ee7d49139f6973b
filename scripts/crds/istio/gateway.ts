import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { boolean, labels, list, object, oneWord, string, strings, uint32 } from '../schema.ts';
import { chartLabels, istioStatus, networking, networkingVersions } from './common.ts';

const tlsVersions = ['TLS_AUTO', 'TLSV1_0', 'TLSV1_1', 'TLSV1_2', 'TLSV1_3'];

/** TLS that a server accepts; also of sidecars. */
export const serverTls = object('TLS of the server.', {
  httpsRedirect: boolean('Answer HTTP with a redirect to HTTPS.'),
  mode: oneWord('Kind of TLS.', [
    'PASSTHROUGH',
    'SIMPLE',
    'MUTUAL',
    'AUTO_PASSTHROUGH',
    'ISTIO_MUTUAL',
    'OPTIONAL_MUTUAL',
  ]),
  serverCertificate: string('File of the certificate.'),
  privateKey: string('File of the private key.'),
  caCertificates: string('File of the authorities of clients.'),
  caCrl: string('File of the revocation list.'),
  credentialName: string('Secret with the certificate and key.'),
  credentialNames: strings('Secrets, one for each kind of key.', { minItems: 1, maxItems: 2 }),
  caCertCredentialName: string('Secret or ConfigMap with the authorities of clients.'),
  tlsCertificates: list(
    'Files, one entry for each kind of key.',
    object('One certificate.', {
      serverCertificate: string('File of the certificate.'),
      privateKey: string('File of the private key.'),
      caCertificates: string('File of the authorities of clients.'),
    }),
    { minItems: 1, maxItems: 2 },
  ),
  subjectAltNames: strings('Names of which a client certificate must carry one.'),
  verifyCertificateSpki: strings('Hashes of public keys of allowed clients, base64 of SHA-256.'),
  verifyCertificateHash: strings('Hashes of certificates of allowed clients, hex of SHA-256.'),
  minProtocolVersion: oneWord('Least TLS version.', tlsVersions),
  maxProtocolVersion: oneWord('Greatest TLS version.', tlsVersions),
  cipherSuites: strings('Cipher suites that are allowed.'),
});

const server = object(
  'One port with its hosts.',
  {
    port: object(
      'The port.',
      {
        number: uint32('Port number.'),
        protocol: string('HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS.'),
        name: string('Name of the port.'),
        targetPort: uint32('Old field, not used.'),
      },
      { required: ['number', 'protocol', 'name'] },
    ),
    bind: string('Address or unix:// path to listen on.'),
    hosts: strings('Hosts, perhaps as namespace/host.'),
    tls: serverTls,
    defaultEndpoint: string('Not used.'),
    name: string('Name of the server.'),
  },
  { required: ['port', 'hosts'] },
);

export const istioGateway: Kind = {
  group: 'networking.istio.io',
  kind: 'Gateway',
  plural: 'gateways',
  shortNames: ['gw'],
  categories: networking,
  description: "A load balancer at the edge of the mesh, in Istio's own form.",
  columns: [{ ...age }],
  versions: versions(networkingVersions, {
    spec: object('The gateway.', {
      servers: list('Its ports.', server),
      selector: labels('Labels of the pods that carry it.'),
    }),
    status: istioStatus(),
  }),
  stored: 'v1',
  labels: chartLabels,
};
