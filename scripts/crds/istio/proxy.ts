import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { anyObject, atMostOne, int32, labels, list, object, oneWord, string, uint32 } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { attachment, chartLabels, istioStatus, labelSelector, networking, selector } from './common.ts';

const filter = object('A network filter.', {
  name: string('Name of the filter.'),
  subFilter: object('A filter within it.', { name: string('Name of the filter.') }),
});

const match = object(
  'What the patch is for.',
  {
    context: oneWord('Kind of proxy and direction.', [
      'ANY',
      'SIDECAR_INBOUND',
      'SIDECAR_OUTBOUND',
      'GATEWAY',
      'WAYPOINT',
    ]),
    proxy: object('Proxies by their node data.', {
      proxyVersion: string('Regular expression over the version.'),
      metadata: labels('Node metadata.'),
    }),
    listener: object('A listener.', {
      portNumber: uint32('Its port.'),
      portName: string('Not used.'),
      filterChain: object('A filter chain of it.', {
        name: string('Its name.'),
        sni: string('Server name.'),
        transportProtocol: string('raw_buffer or tls.'),
        applicationProtocols: string('ALPN names, separated by commas.'),
        filter,
        destinationPort: uint32('Destination port.'),
      }),
      listenerFilter: string('A listener filter, by name.'),
      name: string('Its name.'),
    }),
    routeConfiguration: object('A route configuration.', {
      portNumber: uint32('Port of the gateway server.'),
      portName: string('Name of that port.'),
      gateway: string('The gateway, as namespace/name.'),
      vhost: object('A virtual host.', {
        name: string('Its name, host:port.'),
        domainName: string('A domain of it.'),
        route: object('A route of it.', {
          name: string('Its name.'),
          action: oneWord('What it does.', ['ANY', 'ROUTE', 'REDIRECT', 'DIRECT_RESPONSE']),
        }),
      }),
      name: string('Its name.'),
    }),
    cluster: object('A cluster.', {
      portNumber: uint32('Port of the service.'),
      service: string('Host of the service.'),
      subset: string('Part of it.'),
      name: string('Its name.'),
    }),
    waypoint: object('A route or filter of a waypoint.', {
      portNumber: uint32('Port of the service.'),
      filter,
      route: object('A route.', { name: string('Its name.') }),
    }),
  },
  { oneOf: atMostOne('listener', 'routeConfiguration', 'cluster', 'waypoint') },
);

const patch = object('One change.', {
  applyTo: oneWord('Part of the configuration.', [
    'INVALID',
    'LISTENER',
    'FILTER_CHAIN',
    'NETWORK_FILTER',
    'HTTP_FILTER',
    'ROUTE_CONFIGURATION',
    'VIRTUAL_HOST',
    'HTTP_ROUTE',
    'CLUSTER',
    'EXTENSION_CONFIG',
    'BOOTSTRAP',
    'LISTENER_FILTER',
  ]),
  match,
  patch: object('What is done.', {
    operation: oneWord('How.', [
      'INVALID',
      'MERGE',
      'ADD',
      'REMOVE',
      'INSERT_BEFORE',
      'INSERT_AFTER',
      'INSERT_FIRST',
      'REPLACE',
    ]),
    value: anyObject('Configuration of Envoy.'),
    filterClass: oneWord('Where a filter is put.', ['UNSPECIFIED', 'AUTHN', 'AUTHZ', 'STATS']),
  }),
});

const envoyFilterSpec: Schema = object(
  'The changes.',
  {
    workloadSelector: labelSelector('The proxies; without it, all of the namespace.'),
    targetRefs: attachment['targetRefs']!,
    configPatches: list('Changes, in order.', patch),
    priority: int32('Order among these objects; lower comes first.'),
  },
  {
    rules: [
      {
        rule: '!(has(self.workloadSelector) && has(self.targetRefs))',
        message: 'only one of targetRefs or workloadSelector can be set',
      },
    ],
  },
);

export const envoyFilter: Kind = {
  group: 'networking.istio.io',
  kind: 'EnvoyFilter',
  plural: 'envoyfilters',
  categories: networking,
  description: 'Changes to the configuration that Envoy proxies get.',
  columns: [{ ...age }],
  versions: versions(['v1alpha3'], { spec: envoyFilterSpec, status: istioStatus() }),
  stored: 'v1alpha3',
  labels: chartLabels,
};

export const proxyConfig: Kind = {
  group: 'networking.istio.io',
  kind: 'ProxyConfig',
  plural: 'proxyconfigs',
  categories: networking,
  description: 'Start-up settings of proxies.',
  columns: [{ ...age }],
  versions: versions(['v1beta1'], {
    spec: object('The settings.', {
      selector,
      concurrency: int32('Worker threads; 0 for one a core.', { minimum: 0, nullable: true }),
      environmentVariables: labels('Environment of the proxy.', { maxProperties: 256 }),
      image: object('Image of the proxy.', { imageType: string('Variant: default, distroless, debug.') }),
    }),
    status: istioStatus(),
  }),
  stored: 'v1beta1',
  labels: chartLabels,
};
