import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import {
  atMostOne,
  boolean,
  double,
  duration,
  int32,
  labels,
  list,
  map,
  object,
  string,
  strings,
  uint32,
} from '../schema.ts';
import type { Schema } from '../schema.ts';
import { chartLabels, exportTo, istioStatus, networking, networkingVersions, stringMatch } from './common.ts';

const destination = (description: string): Schema =>
  object(
    description,
    {
      host: string('Host of a service.'),
      subset: string('Part of it, as a DestinationRule names it.'),
      port: object('Port of the service.', { number: uint32('Port number.') }),
    },
    { required: ['host'] },
  );

const headerOperations = (description: string): Schema =>
  object(description, {
    set: labels('Headers to set.'),
    add: labels('Headers to add.'),
    remove: strings('Headers to take away.'),
  });

const headers = object('Changes to headers.', {
  request: headerOperations('On the way to the service.'),
  response: headerOperations('On the way back.'),
});

const percent = (description: string): Schema =>
  object(description, { value: double('0 to 100.', { minimum: 0, maximum: 100 }) });

const weight = int32('Share of the traffic, relative to the other destinations.', { minimum: 0 });

const regexRewrite = object('Rewrite by regular expression.', {
  match: string('RE2 expression over the path.'),
  rewrite: string('Replacement; \\1 stands for the first group.'),
});

const httpMatch = object('One match; all that it names must hold.', {
  name: string('Name, for logs.'),
  uri: stringMatch('Path.'),
  scheme: stringMatch('Scheme.'),
  method: stringMatch('Method.'),
  authority: stringMatch('Authority (the Host header).'),
  headers: map('Headers by name, in lower case.', stringMatch('Value of the header.')),
  port: uint32('Port that was connected to.'),
  sourceLabels: labels('Labels of the client.'),
  gateways: strings('Gateways that this match is for.'),
  queryParams: map('Query parameters by name.', stringMatch('Value of the parameter.')),
  ignoreUriCase: boolean('Whether case counts in uri.'),
  withoutHeaders: map('Headers that must not match.', stringMatch('Value of the header.')),
  sourceNamespace: string('Namespace of the client.'),
  statPrefix: string('Prefix for statistics of this route.'),
});

const redirect = object(
  'Answer with a redirect.',
  {
    uri: string('New path.'),
    authority: string('New authority.'),
    port: uint32('New port.'),
    derivePort: string('How the port is found.', { enum: ['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT'] }),
    scheme: string('New scheme.'),
    redirectCode: uint32('Status: 301 (the default), 302, 303, 307 or 308.'),
    uriRegexRewrite: regexRewrite,
    prefixRewrite: string('What replaces the matched prefix.'),
  },
  { oneOf: atMostOne('port', 'derivePort') },
);

const fault = object('Failures on purpose.', {
  delay: object(
    'Wait before forwarding.',
    {
      percent: int32('Old form of percentage.'),
      fixedDelay: duration('How long.'),
      exponentialDelay: duration('Not used.'),
      percentage: percent('How many requests.'),
    },
    { oneOf: atMostOne('fixedDelay', 'exponentialDelay') },
  ),
  abort: object(
    'Answer with an error.',
    {
      httpStatus: int32('HTTP status.'),
      grpcStatus: string('gRPC status, by name.'),
      http2Error: string('Not used.'),
      percentage: percent('How many requests.'),
    },
    { oneOf: atMostOne('httpStatus', 'grpcStatus', 'http2Error') },
  ),
});

const corsPolicy = object('Cross-origin requests.', {
  allowOrigin: strings('Old form of allowOrigins.'),
  allowOrigins: list('Origins that are allowed.', stringMatch('One origin.')),
  allowMethods: strings('Methods that are allowed.'),
  allowHeaders: strings('Request headers that are allowed.'),
  exposeHeaders: strings('Response headers that scripts may read.'),
  maxAge: duration('How long a preflight may be cached.'),
  allowCredentials: boolean('Whether credentials may be sent.', { nullable: true }),
  unmatchedPreflights: string('What happens to a preflight that matches nothing.', {
    enum: ['UNSPECIFIED', 'FORWARD', 'IGNORE'],
  }),
});

const httpRoute = object('One route.', {
  name: string('Name, for logs.'),
  match: list('Matches; one is enough. None matches all.', httpMatch),
  route: list(
    'Where matching requests go.',
    object(
      'One destination.',
      { destination: destination('The service.'), weight, headers },
      { required: ['destination'] },
    ),
  ),
  redirect,
  directResponse: object(
    'Answer at once.',
    {
      status: uint32('HTTP status.', { minimum: 100, maximum: 599 }),
      body: object(
        'Body of the answer.',
        { string: string('As text.'), bytes: string('As base64.') },
        { oneOf: atMostOne('string', 'bytes') },
      ),
    },
    { required: ['status'] },
  ),
  delegate: object('Another VirtualService that decides.', {
    name: string('Its name.'),
    namespace: string('Its namespace; the same if left out.'),
  }),
  rewrite: object('Rewrite before forwarding.', {
    uri: string('New path, or new prefix.'),
    authority: string('New authority.'),
    uriRegexRewrite: regexRewrite,
  }),
  timeout: duration('Time for the whole request; zero for no limit.'),
  retries: object('Retries.', {
    attempts: int32('How many; 0 switches them off.'),
    perTryTimeout: duration('Time for each try.'),
    backoff: duration('Least time between tries.'),
    retryOn: string('Conditions, separated by commas.'),
    retryRemoteLocalities: boolean('Whether other localities may be tried.', { nullable: true }),
    retryIgnorePreviousHosts: boolean('Whether endpoints already tried may be tried again.', {
      nullable: true,
    }),
  }),
  fault,
  mirror: destination('Old form of mirrors.'),
  mirrors: list(
    'Services that get a copy.',
    object(
      'One of them.',
      { destination: destination('The service.'), percentage: percent('How many requests.') },
      { required: ['destination'] },
    ),
  ),
  mirrorPercent: uint32('Old form of mirrorPercentage.', { nullable: true }),
  mirror_percent: uint32('Old spelling of mirrorPercent.', { nullable: true }),
  mirrorPercentage: percent('How many requests are mirrored.'),
  corsPolicy,
  headers,
});

const streamDestination = object(
  'One destination.',
  { destination: destination('The service.'), weight },
  { required: ['destination'] },
);

const streamMatch = {
  destinationSubnets: strings('Addresses that were connected to.'),
  port: uint32('Port that was connected to.'),
  sourceLabels: labels('Labels of the client.'),
  gateways: strings('Gateways that this match is for.'),
  sourceNamespace: string('Namespace of the client.'),
};

const spec = object('The routes.', {
  hosts: strings('Hosts whose traffic is routed.'),
  gateways: strings("Gateways that apply these routes; 'mesh' for clients in the mesh."),
  http: list('Routes of HTTP requests, in order.', httpRoute),
  tls: list(
    'Routes of TLS connections that stay encrypted.',
    object(
      'One route.',
      {
        match: list(
          'Matches; one is enough.',
          object(
            'One match.',
            { sniHosts: strings('Server names.'), ...streamMatch },
            { required: ['sniHosts'] },
          ),
        ),
        route: list('Where the connections go.', streamDestination),
      },
      { required: ['match'] },
    ),
  ),
  tcp: list(
    'Routes of other connections.',
    object('One route.', {
      match: list(
        'Matches; one is enough.',
        object('One match.', { ...streamMatch, sourceSubnet: string('Addresses of the client.') }),
      ),
      route: list('Where the connections go.', streamDestination),
    }),
  ),
  exportTo,
});

export const virtualService: Kind = {
  group: 'networking.istio.io',
  kind: 'VirtualService',
  plural: 'virtualservices',
  shortNames: ['vs'],
  categories: networking,
  description: 'Routes of the traffic to one or more hosts.',
  columns: [
    { name: 'Gateways', path: '.spec.gateways', description: 'Gateways that apply the routes.' },
    { name: 'Hosts', path: '.spec.hosts', description: 'Hosts whose traffic is routed.' },
    { ...age },
  ],
  versions: versions(networkingVersions, { spec, status: istioStatus() }),
  stored: 'v1',
  labels: chartLabels,
};
