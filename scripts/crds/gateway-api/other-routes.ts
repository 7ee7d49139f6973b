import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { list, object, oneWord, string } from '../schema.ts';
import type { Fields, Schema } from '../schema.ts';
import { annotations, categories, gatewayGroup, headerName, hostname } from './names.ts';
import {
  backendRefs,
  commonFilters,
  filter,
  hostnames,
  oncePerType,
  routeFields,
  routeStatus,
  ruleName,
  sessionPersistence,
  uniqueRuleNames,
} from './route.ts';

const filters = list('Filters.', filter(commonFilters), {
  maxItems: 16,
  rules: oncePerType(['RequestHeaderModifier', 'ResponseHeaderModifier']),
});

const grpcMatch = object('One match; all that it names must hold.', {
  method: object(
    'Service and method.',
    {
      type: oneWord('How they are compared.', ['Exact', 'RegularExpression'], 'Exact'),
      service: string('The service, with its package.', { maxLength: 1024 }),
      method: string('The method.', { maxLength: 1024 }),
    },
    {
      rules: [
        {
          rule: 'has(self.service) || has(self.method)',
          message: "One or both of 'service' or 'method' must be specified",
        },
        {
          rule: "self.type != 'Exact' || !has(self.service) || self.service.matches('^[.]?[a-zA-Z_][a-zA-Z_0-9]*([.][a-zA-Z_][a-zA-Z_0-9]*)*$')",
          message: 'service must only contain valid characters',
        },
        {
          rule: "self.type != 'Exact' || !has(self.method) || self.method.matches('^[A-Za-z_][A-Za-z_0-9]*$')",
          message: 'method must only contain valid characters',
        },
      ],
    },
  ),
  headers: list(
    'Headers, all of which must match.',
    object(
      'One header.',
      {
        type: oneWord('How it is compared.', ['Exact', 'RegularExpression'], 'Exact'),
        name: headerName('Its name.'),
        value: string('Its value.', { minLength: 1, maxLength: 4096 }),
      },
      { required: ['name', 'value'] },
    ),
    { keys: ['name'], maxItems: 16 },
  ),
});

const common = { group: gatewayGroup, categories, stored: 'v1', annotations };

export const grpcRoute: Kind = {
  ...common,
  kind: 'GRPCRoute',
  plural: 'grpcroutes',
  optionalSpec: true,
  description: 'Routes of gRPC calls.',
  columns: [{ name: 'Hostnames', path: '.spec.hostnames' }, { ...age }],
  versions: versions(['v1'], {
    spec: object('The routes.', {
      ...routeFields,
      hostnames,
      rules: list(
        'Rules.',
        object('One rule.', {
          name: ruleName,
          matches: list('Matches; one is enough.', grpcMatch, { maxItems: 64 }),
          filters,
          backendRefs: backendRefs({ filters }),
          sessionPersistence,
        }),
        { maxItems: 16, rules: [uniqueRuleNames] },
      ),
    }),
    status: routeStatus,
  }),
};

/** A route of whole connections. */
function streamSpec(extra: Fields, required: readonly string[], maxRules: number): Schema {
  return object(
    'The route.',
    {
      ...routeFields,
      ...extra,
      rules: list(
        'Rules.',
        object(
          'One rule.',
          { name: ruleName, backendRefs: backendRefs({}, { minItems: 1 }) },
          { required: ['backendRefs'] },
        ),
        { minItems: 1, maxItems: maxRules, rules: [uniqueRuleNames] },
      ),
    },
    { required: [...required, 'rules'] },
  );
}

const serverNames = list('Server names (SNI) that it is for.', hostname('A server name.'), {
  minItems: 1,
  maxItems: 16,
  rules: [
    {
      rule: "self.all(name, !name.matches('^[0-9.]+$'))",
      message: 'Hostnames cannot contain an IP',
    },
  ],
});

// Until v1 a route of connections could have 16 rules, of which every controller applied the first.
const rulesBeforeV1 = 16;

export const tlsRoute: Kind = {
  ...common,
  kind: 'TLSRoute',
  plural: 'tlsroutes',
  description: 'Routes of TLS connections by server name.',
  columns: [{ ...age }],
  versions: [
    { name: 'v1', spec: streamSpec({ hostnames: serverNames }, ['hostnames'], 1), status: routeStatus },
    { name: 'v1alpha3', spec: streamSpec({ hostnames: serverNames }, ['hostnames'], 1), status: routeStatus },
    { name: 'v1alpha2', spec: streamSpec({ hostnames }, [], rulesBeforeV1), status: routeStatus },
  ],
};

const connectionVersions = [
  { name: 'v1', spec: streamSpec({}, [], 1), status: routeStatus },
  { name: 'v1alpha2', spec: streamSpec({}, [], rulesBeforeV1), status: routeStatus },
];

export const tcpRoute: Kind = {
  ...common,
  kind: 'TCPRoute',
  plural: 'tcproutes',
  description: 'Routes of TCP connections.',
  columns: [{ ...age }],
  versions: connectionVersions,
};

export const udpRoute: Kind = {
  ...common,
  kind: 'UDPRoute',
  plural: 'udproutes',
  description: 'Routes of UDP packets.',
  columns: [{ ...age }],
  versions: connectionVersions,
};
