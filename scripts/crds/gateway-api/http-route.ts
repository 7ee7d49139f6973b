import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { boolean, int32, list, object, oneWord, port, string, strings } from '../schema.ts';
import type { Rule } from '../schema.ts';
import {
  annotations,
  categories,
  gatewayDuration,
  gatewayGroup,
  headerName,
  preciseHostname,
} from './names.ts';
import {
  backend,
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

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];

/** Parts of a path that would be read differently by different servers. */
const pathRules: readonly Rule[] = [
  {
    rule: "self.type == 'RegularExpression' || self.value.startsWith('/')",
    message: 'value must be an absolute path and start with /',
  },
  ...['//', '/./', '/../', '%2f', '%2F', '#'].map((part) => ({
    rule: `self.type == 'RegularExpression' || !self.value.contains('${part}')`,
    message: `must not contain '${part}' when type one of ['Exact', 'PathPrefix']`,
  })),
  ...['/..', '/.'].map((part) => ({
    rule: `self.type == 'RegularExpression' || !self.value.endsWith('${part}')`,
    message: `must not end with '${part}' when type one of ['Exact', 'PathPrefix']`,
  })),
];

const matchType = (fallback: string) =>
  oneWord('How it is compared.', ['Exact', 'RegularExpression'], fallback);

const match = object('One match; all that it names must hold.', {
  path: object(
    'Path.',
    {
      type: oneWord('How it is compared.', ['Exact', 'PathPrefix', 'RegularExpression'], 'PathPrefix'),
      value: string('The path.', { default: '/', maxLength: 1024 }),
    },
    { default: { type: 'PathPrefix', value: '/' }, rules: pathRules },
  ),
  headers: list(
    'Headers, all of which must match.',
    object(
      'One header.',
      {
        type: matchType('Exact'),
        name: headerName('Its name.'),
        value: string('Its value.', { minLength: 1, maxLength: 4096 }),
      },
      { required: ['name', 'value'] },
    ),
    { keys: ['name'], maxItems: 16 },
  ),
  queryParams: list(
    'Query parameters, all of which must match.',
    object(
      'One parameter.',
      {
        type: matchType('Exact'),
        name: headerName('Its name.'),
        value: string('Its value.', { minLength: 1, maxLength: 1024 }),
      },
      { required: ['name', 'value'] },
    ),
    { keys: ['name'], maxItems: 16 },
  ),
  method: oneWord('Method.', methods),
});

const pathModifier = object(
  'New path.',
  {
    type: oneWord('How much of it is new.', ['ReplaceFullPath', 'ReplacePrefixMatch']),
    replaceFullPath: string('The whole path.', { maxLength: 1024 }),
    replacePrefixMatch: string('What replaces the matched prefix.', { maxLength: 1024 }),
  },
  {
    required: ['type'],
    rules: [
      ['ReplaceFullPath', 'replaceFullPath'],
      ['ReplacePrefixMatch', 'replacePrefixMatch'],
    ].map(([type, field]) => ({
      rule: `has(self.${field}) == (self.type == '${type}')`,
      message: `${field} must be set for type '${type}', and for no other`,
    })),
  },
);

const redirect = object('Answer with a redirect.', {
  scheme: oneWord('New scheme.', ['http', 'https']),
  hostname: preciseHostname('New host.'),
  path: pathModifier,
  port: port('New port.'),
  // An enum of numbers is not among the words of this language, and a range with a rule says the same.
  statusCode: {
    ...int32('Status: 301, 302, 303, 307 or 308.', { default: 302 }),
    'x-kubernetes-validations': [
      { rule: 'self in [301, 302, 303, 307, 308]', message: 'statusCode must be 301, 302, 303, 307 or 308' },
    ],
  },
});

const headerSet = (description: string) =>
  list(description, headerName('A header.'), { set: true, maxItems: 64 });

const starAlone = (field: string): Rule => ({
  rule: `!has(self.${field}) || !self.${field}.exists(name, name == '*') || size(self.${field}) == 1`,
  message: `${field} cannot contain '*' alongside other values`,
});

const cors = object(
  'Cross-origin requests.',
  {
    allowOrigins: list(
      'Origins that are allowed.',
      string('An origin.', {
        minLength: 1,
        maxLength: 253,
        pattern:
          '(^\\*$)|(^([a-zA-Z][a-zA-Z0-9+\\-.]+):\\/\\/((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9\\-]+|\\*)(:([0-9]{1,5}))?$)',
      }),
      { set: true, maxItems: 64 },
    ),
    allowCredentials: boolean('Whether credentials may be sent.'),
    allowMethods: list('Methods that are allowed.', oneWord('A method.', [...methods, '*']), {
      set: true,
      maxItems: 9,
    }),
    allowHeaders: headerSet('Request headers that are allowed.'),
    exposeHeaders: headerSet('Response headers that scripts may read.'),
    maxAge: int32('Seconds for which a preflight may be cached.', { default: 5, minimum: 1 }),
  },
  { rules: [starAlone('allowOrigins'), starAlone('allowMethods'), starAlone('allowHeaders')] },
);

const externalAuth = object(
  'Ask another service whether the request may pass.',
  {
    protocol: oneWord('How it is asked.', ['HTTP', 'GRPC']),
    backendRef: backend('The service that is asked.'),
    grpc: object('For GRPC.', {
      allowedHeaders: strings('Headers that are sent along.', { set: true, maxItems: 64 }),
    }),
    http: object('For HTTP.', {
      path: string('Prefix of the path.', { maxLength: 1024 }),
      allowedHeaders: strings('Headers that are sent along.', { set: true, maxItems: 64 }),
      allowedResponseHeaders: strings('Headers of the answer that are passed on.', {
        set: true,
        maxItems: 64,
      }),
    }),
    forwardBody: object('The body that is sent along.', {
      maxSize: int32('Most bytes of it.', { minimum: 1, maximum: 65_535 }),
    }),
  },
  {
    required: ['backendRef', 'protocol'],
    rules: [
      {
        rule: "self.protocol == 'GRPC' ? !has(self.http) : !has(self.grpc)",
        message: 'settings must be those of the protocol',
      },
    ],
  },
);

const filters = list(
  'Filters.',
  filter({
    ...commonFilters,
    RequestRedirect: ['requestRedirect', redirect],
    URLRewrite: [
      'urlRewrite',
      object('Rewrite before forwarding.', { hostname: preciseHostname('New host.'), path: pathModifier }),
    ],
    CORS: ['cors', cors],
    ExternalAuth: ['externalAuth', externalAuth],
  }),
  {
    maxItems: 16,
    rules: [
      ...oncePerType([
        'CORS',
        'RequestHeaderModifier',
        'ResponseHeaderModifier',
        'RequestRedirect',
        'URLRewrite',
      ]),
      {
        rule: "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))",
        message: 'May specify either RequestRedirect or URLRewrite, but not both',
      },
    ],
  },
);

const rule = object(
  'One rule.',
  {
    name: ruleName,
    matches: list('Matches; one is enough.', match, {
      maxItems: 64,
      default: [{ path: { type: 'PathPrefix', value: '/' } }],
    }),
    filters,
    backendRefs: backendRefs({ filters }),
    timeouts: object(
      'Limits of time.',
      {
        request: gatewayDuration('For the whole request; 0s for no limit.'),
        backendRequest: gatewayDuration('For each try.'),
      },
      {
        rules: [
          {
            rule: "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))",
            message: 'backendRequest timeout cannot be longer than request timeout',
          },
        ],
      },
    ),
    retry: object('Retries.', {
      codes: list('Statuses that are retried.', int32('A status.', { minimum: 400, maximum: 599 }), {
        set: true,
      }),
      attempts: int32('How many.'),
      backoff: gatewayDuration('Least time between tries.'),
    }),
    sessionPersistence,
  },
  {
    rules: [
      {
        rule: "!has(self.backendRefs) || size(self.backendRefs) == 0 || !has(self.filters) || !self.filters.exists(f, f.type == 'RequestRedirect')",
        message: 'RequestRedirect filter must not be used together with backendRefs',
      },
      {
        rule: "!has(self.filters) || !self.filters.exists(f, (has(f.requestRedirect) && has(f.requestRedirect.path) && f.requestRedirect.path.type == 'ReplacePrefixMatch') || (has(f.urlRewrite) && has(f.urlRewrite.path) && f.urlRewrite.path.type == 'ReplacePrefixMatch')) || (has(self.matches) && size(self.matches) == 1 && self.matches.all(m, has(m.path) && m.path.type == 'PathPrefix'))",
        message: 'ReplacePrefixMatch needs exactly one match, by PathPrefix',
      },
    ],
  },
);

export const httpRoute: Kind = {
  group: gatewayGroup,
  kind: 'HTTPRoute',
  plural: 'httproutes',
  categories,
  description: 'Routes of HTTP requests.',
  columns: [{ name: 'Hostnames', path: '.spec.hostnames' }, { ...age }],
  versions: versions(['v1', 'v1beta1'], {
    spec: object('The routes.', {
      ...routeFields,
      hostnames,
      rules: list('Rules.', rule, {
        minItems: 1,
        maxItems: 16,
        default: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }],
        rules: [uniqueRuleNames],
      }),
    }),
    status: routeStatus,
  }),
  stored: 'v1',
  annotations,
};
