import { conditions } from '../conditions.ts';
import { also, int32, list, object, oneWord, port, string, strings } from '../schema.ts';
import type { Fields, Rule, Schema } from '../schema.ts';
import {
  controllerName,
  gatewayDuration,
  gatewayGroup,
  group,
  headerName,
  hostname,
  kindName,
  localReference,
  namespace,
  objectName,
  sectionName,
} from './names.ts';

export const parentReference = object(
  'A Gateway or ListenerSet, or a Service whose clients it is for.',
  {
    group: group('Its group.', gatewayGroup),
    kind: kindName('Its kind.', 'Gateway'),
    namespace: namespace('Its namespace; the same if left out.'),
    name: objectName('Its name.'),
    sectionName: sectionName('One listener of it, or one port by name.'),
    port: port('One port of it.'),
  },
  { required: ['name'] },
);

/** Two references to one parent must each name a part of it, and another one. */
const parentRules: readonly Rule[] = [
  {
    rule: "self.all(one, self.exists_one(other, one.group == other.group && one.kind == other.kind && one.name == other.name && (has(one.__namespace__) ? one.__namespace__ : '') == (has(other.__namespace__) ? other.__namespace__ : '') && (has(one.sectionName) ? one.sectionName : '') == (has(other.sectionName) ? other.sectionName : '') && (has(one.port) ? one.port : 0) == (has(other.port) ? other.port : 0)))",
    message:
      'sectionName or port must be unique when parentRefs includes 2 or more references to the same parent',
  },
];

/** Fields of every route. */
export const routeFields: Fields = {
  parentRefs: list('What it attaches to.', parentReference, { maxItems: 32, rules: parentRules }),
  useDefaultGateways: oneWord('Attach to default Gateways.', ['All', 'None']),
};

export const hostnames = list('Hosts that it is for.', hostname('A host.'), { maxItems: 16 });

export const routeStatus = object(
  'What controllers report.',
  {
    parents: list(
      'Status at each parent.',
      object(
        'Status at one parent.',
        {
          parentRef: parentReference,
          controllerName: controllerName('The controller that reports.'),
          conditions: also(conditions(8), { minItems: 1 }),
        },
        { required: ['conditions', 'controllerName', 'parentRef'] },
      ),
      { maxItems: 32 },
    ),
  },
  { required: ['parents'] },
);

const backendObject: Fields = {
  group: group('Its group.', ''),
  kind: kindName('Its kind.', 'Service'),
  name: objectName('Its name.'),
  namespace: namespace('Its namespace; another one needs a ReferenceGrant.'),
  port: port('Its port; must be given for a Service.'),
};

const servicePort: Rule = {
  rule: "size(self.group) != 0 || self.kind != 'Service' || has(self.port)",
  message: 'Must have port for Service reference',
};

/** A backend without a share, as filters name it. */
export const backend = (description: string): Schema =>
  object(description, backendObject, { required: ['name'], rules: [servicePort] });

const weight = int32('Share of the traffic, relative to the other backends.', {
  default: 1,
  minimum: 0,
  maximum: 1_000_000,
});

/** Backends of a rule, at most 16, each with the filters that its kind of route has. */
export function backendRefs(extra: Fields, options: { readonly minItems?: number } = {}): Schema {
  return list(
    'Where the traffic goes.',
    object(
      'One backend.',
      { ...backendObject, weight, ...extra },
      { required: ['name'], rules: [servicePort] },
    ),
    { maxItems: 16, ...options },
  );
}

const header = object(
  'One header.',
  { name: headerName('Its name.'), value: string('Its value.', { minLength: 1, maxLength: 4096 }) },
  { required: ['name', 'value'] },
);

const headerFilter = (description: string): Schema =>
  object(description, {
    set: list('Headers to set.', header, { keys: ['name'], maxItems: 16 }),
    add: list('Headers to add.', header, { keys: ['name'], maxItems: 16 }),
    remove: strings('Headers to take away.', { set: true, maxItems: 16 }),
  });

const mirror = object(
  'Send a copy elsewhere.',
  {
    backendRef: backend('Where the copy goes.'),
    percent: int32('Share of the requests, in percent.', { minimum: 0, maximum: 100 }),
    fraction: object(
      'Share of the requests, as a fraction.',
      {
        numerator: int32('Above the line.', { minimum: 0 }),
        denominator: int32('Below the line.', { minimum: 1, default: 100 }),
      },
      {
        required: ['numerator'],
        rules: [
          {
            rule: 'self.numerator <= self.denominator',
            message: 'numerator must be less than or equal to denominator',
          },
        ],
      },
    ),
  },
  {
    required: ['backendRef'],
    rules: [
      {
        rule: '!(has(self.percent) && has(self.fraction))',
        message: 'Only one of percent or fraction may be specified',
      },
    ],
  },
);

/** Filters that HTTP and gRPC share: type and field. */
export const commonFilters = {
  RequestHeaderModifier: ['requestHeaderModifier', headerFilter('Change headers of the request.')],
  ResponseHeaderModifier: ['responseHeaderModifier', headerFilter('Change headers of the response.')],
  RequestMirror: ['requestMirror', mirror],
  ExtensionRef: ['extensionRef', localReference('A filter in another object.')],
} as const satisfies Record<string, readonly [string, Schema]>;

/**
 * A filter: a type, and the one field of that name.
 *
 * @param kinds type to its field's name and schema
 */
export function filter(kinds: Readonly<Record<string, readonly [string, Schema]>>): Schema {
  const entries = Object.entries(kinds);
  return object(
    'One filter.',
    {
      type: oneWord(
        'Kind of the filter.',
        entries.map(([type]) => type),
      ),
      ...Object.fromEntries(entries.map(([, [field, schema]]) => [field, schema])),
    },
    {
      required: ['type'],
      rules: entries.map(([type, [field]]) => ({
        rule: `has(self.${field}) == (self.type == '${type}')`,
        message: `filter.${field} must be set for type ${type}, and for no other`,
      })),
    },
  );
}

/** At most one filter of each of these types. */
export function oncePerType(types: readonly string[]): readonly Rule[] {
  return types.map((type) => ({
    rule: `self.filter(f, f.type == '${type}').size() <= 1`,
    message: `${type} filter cannot be repeated`,
  }));
}

export const sessionPersistence = object(
  'Keep a client with one backend.',
  {
    sessionName: string('Name of the session.', { maxLength: 128 }),
    absoluteTimeout: gatewayDuration('Longest life of a session.'),
    idleTimeout: gatewayDuration('Idle time that ends a session.'),
    type: oneWord('How the session is told.', ['Cookie', 'Header'], 'Cookie'),
    cookieConfig: object('Old form of cookie.', {
      lifetimeType: oneWord('Life of the cookie.', ['Permanent', 'Session'], 'Session'),
    }),
    cookie: object('The cookie.', {
      name: string('Its name.', { minLength: 1, maxLength: 128 }),
      path: string('Its path.', { minLength: 1, maxLength: 1024 }),
      lifetimeType: oneWord('Its life.', ['Permanent', 'Session'], 'Session'),
    }),
    header: object('The header.', { name: headerName('Its name.') }, { required: ['name'] }),
  },
  {
    rules: [
      {
        rule: "!has(self.cookieConfig) || !has(self.cookieConfig.lifetimeType) || self.cookieConfig.lifetimeType != 'Permanent' || has(self.absoluteTimeout)",
        message: 'AbsoluteTimeout must be specified when cookie lifetimeType is Permanent',
      },
    ],
  },
);

/** Rule names tell rules apart in status and policies. */
export const uniqueRuleNames: Rule = {
  rule: 'self.all(one, !has(one.name) || self.exists_one(other, has(other.name) && one.name == other.name))',
  message: 'Rule name must be unique within the route',
};

export const ruleName = sectionName('Name of the rule.');
