import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import {
  atMostOne,
  boolean,
  double,
  duration,
  int32,
  int64,
  labels,
  list,
  map,
  object,
  oneWord,
  string,
  strings,
  uint32,
} from '../schema.ts';
import type { Fields, Schema } from '../schema.ts';
import { chartLabels, exportTo, istioStatus, networking, networkingVersions, selector } from './common.ts';

/** A count in a protobuf wrapper: null stands for an absent one. */
const count = (description: string): Schema => uint32(description, { nullable: true });

/** Weights that name no known way of sharing are refused; left out, the mesh decides. */
export const localityLbSetting = object('Where traffic goes by the place of its source.', {
  distribute: list(
    'Shares by place.',
    object('Shares of the traffic from one place.', {
      from: string('Origin, region/zone/subzone with wildcards.'),
      to: map('Percent by destination; their sum is 100.', uint32('Percent.')),
    }),
  ),
  failover: list(
    'Regions that stand in for each other.',
    object('One pair of regions.', {
      from: string('Region that has failed.'),
      to: string('Region that takes over.'),
    }),
  ),
  failoverPriority: strings(
    'Labels in order of importance: endpoints that share more with the client come first.',
  ),
  enabled: boolean('Whether places count at all.', { nullable: true }),
});

const consistentHash = object(
  'Same key, same endpoint.',
  {
    httpHeaderName: string('Header that is the key.'),
    httpCookie: object(
      'Cookie that is the key, made if it is missing.',
      {
        name: string('Name of the cookie.'),
        path: string('Path of the cookie.'),
        ttl: duration('Life of a cookie that is made; zero for a session.'),
        attributes: list(
          'Further attributes of a cookie that is made.',
          object(
            'One attribute.',
            { name: string('Name of the attribute.'), value: string('Value of the attribute.') },
            { required: ['name'] },
          ),
        ),
      },
      { required: ['name'] },
    ),
    useSourceIp: boolean('The source address is the key.'),
    httpQueryParameterName: string('Query parameter that is the key.'),
    minimumRingSize: int64('Old place of ringHash.minimumRingSize.'),
    ringHash: object('Hash by a ring.', { minimumRingSize: int64('Least number of entries in the ring.') }),
    maglev: object('Hash by a Maglev table.', { tableSize: int64('Size of the table, a prime number.') }),
  },
  {
    allOf: [
      { oneOf: atMostOne('httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName') },
      { oneOf: atMostOne('ringHash', 'maglev') },
    ],
  },
);

const loadBalancer = object(
  'How an endpoint is chosen.',
  {
    simple: oneWord('A plain algorithm.', [
      'UNSPECIFIED',
      'RANDOM',
      'PASSTHROUGH',
      'ROUND_ROBIN',
      'LEAST_REQUEST',
      'LEAST_CONN',
    ]),
    consistentHash,
    localityLbSetting,
    warmupDurationSecs: duration('Old place of warmup.duration.'),
    warmup: object(
      'New endpoints get little traffic at first.',
      {
        duration: duration('How long the warm-up takes.'),
        minimumPercent: double('Share to begin with, in percent.', {
          minimum: 0,
          maximum: 100,
          nullable: true,
        }),
        aggression: double('How steeply the share grows; 1 is a straight line.', {
          minimum: 0,
          nullable: true,
        }),
      },
      { required: ['duration'] },
    ),
  },
  { oneOf: atMostOne('simple', 'consistentHash') },
);

export const connectionPool = object('How many connections and requests at once.', {
  tcp: object('Connections.', {
    maxConnections: int32('Connections to one endpoint.'),
    connectTimeout: duration('Time to connect.'),
    tcpKeepalive: object('TCP keepalive.', {
      probes: uint32('Probes without an answer after which a connection is dead.'),
      time: duration('Idle time before the first probe.'),
      interval: duration('Time between probes.'),
    }),
    maxConnectionDuration: duration('Longest life of a connection.'),
    idleTimeout: duration('Idle time after which a connection is closed.'),
  }),
  http: object('Requests.', {
    http1MaxPendingRequests: int32('Requests that wait for a connection.'),
    http2MaxRequests: int32('Requests in progress.'),
    maxRequestsPerConnection: int32('Requests over one connection; 0 for no limit.'),
    maxRetries: int32('Retries in progress.'),
    idleTimeout: duration('Time without a request after which a connection is closed.'),
    h2UpgradePolicy: oneWord('Whether HTTP/1.1 becomes HTTP/2 on the way.', [
      'DEFAULT',
      'DO_NOT_UPGRADE',
      'UPGRADE',
    ]),
    useClientProtocol: boolean('Speak to the endpoint what the client speaks.'),
    maxConcurrentStreams: int32('Streams over one HTTP/2 connection.'),
  }),
});

const outlierDetection = object('When a failing endpoint is left out.', {
  consecutiveErrors: int32('Old name of consecutive5xxErrors.'),
  splitExternalLocalOriginErrors: boolean('Count failures to connect apart from bad answers.'),
  consecutiveLocalOriginFailures: count('Failures to connect in a row.'),
  consecutiveGatewayErrors: count('Answers 502, 503, 504 in a row.'),
  consecutive5xxErrors: count('Answers 5xx in a row.'),
  interval: duration('Time between sweeps.'),
  baseEjectionTime: duration('Time out for the first failure; grows with each.'),
  maxEjectionPercent: int32('Most endpoints left out at once, in percent.'),
  minHealthPercent: int32('Below this share of healthy endpoints nobody is left out, in percent.'),
});

/** TLS that a client begins; also of sidecars. */
export const clientTls = object('TLS towards the endpoints.', {
  mode: oneWord('Kind of TLS.', ['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']),
  clientCertificate: string('File of the client certificate.'),
  privateKey: string('File of the private key.'),
  caCertificates: string('File of the certificate authorities.'),
  credentialName: string('Secret with the certificate and key.'),
  subjectAltNames: strings("Names of which the server's certificate must carry one."),
  sni: string('Server name to ask for.'),
  insecureSkipVerify: boolean("Do not check the server's certificate.", { nullable: true }),
  caCrl: string('File of the revocation list.'),
});

const portFields: Fields = { loadBalancer, connectionPool, outlierDetection, tls: clientTls };

const trafficPolicy = object('Settings for traffic to the host.', {
  ...portFields,
  portLevelSettings: list(
    'Settings for single ports, in place of those above.',
    object('Settings for one port.', {
      port: object('The port.', { number: uint32('Port number.') }),
      ...portFields,
    }),
    { maxItems: 4096 },
  ),
  tunnel: object(
    'Send TCP through a proxy.',
    {
      protocol: string('CONNECT (the default) or POST.'),
      targetHost: string('Host that the proxy connects to.'),
      targetPort: uint32('Port that the proxy connects to.'),
    },
    { required: ['targetHost', 'targetPort'] },
  ),
  proxyProtocol: object('Send the PROXY protocol.', {
    version: oneWord('Its version.', ['V1', 'V2']),
  }),
  retryBudget: object('Limits retries to a share of the requests.', {
    percent: double('Retries as a share of active requests, in percent.', {
      minimum: 0,
      maximum: 100,
      nullable: true,
    }),
    minRetryConcurrency: uint32('Retries that are always allowed.'),
  }),
});

const spec = object(
  'The rule.',
  {
    host: string('Host of a service.'),
    trafficPolicy,
    subsets: list(
      'Named parts of the service.',
      object(
        'One part.',
        {
          name: string('Name by which routes call it.'),
          labels: labels('Labels of its endpoints.'),
          trafficPolicy,
        },
        { required: ['name'] },
      ),
    ),
    exportTo,
    workloadSelector: selector,
  },
  { required: ['host'] },
);

export const destinationRule: Kind = {
  group: 'networking.istio.io',
  kind: 'DestinationRule',
  plural: 'destinationrules',
  shortNames: ['dr'],
  categories: networking,
  description: 'What applies to traffic after routing: load balancing, limits, outliers, TLS.',
  columns: [{ name: 'Host', path: '.spec.host', description: 'Host of the service.' }, { ...age }],
  versions: versions(networkingVersions, { spec, status: istioStatus() }),
  stored: 'v1',
  labels: chartLabels,
};
