import { list, object, oneWord, port, string } from '../schema.ts';
import type { Fields, Rule, Schema } from '../schema.ts';
import { conditions } from '../conditions.ts';
import {
  group,
  hostname,
  kindName,
  labelSelector,
  namespace,
  objectName,
  options,
  sectionName,
} from './names.ts';

/** Either a core protocol or DOMAIN/NAME. */
const protocol = string('HTTP, HTTPS, TLS, TCP, UDP, HBONE, or one with a domain.', {
  minLength: 1,
  maxLength: 255,
  pattern:
    '^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9]+$',
});

export const secretReference = (description: string): Schema =>
  object(
    description,
    {
      group: group('Its group.', ''),
      kind: kindName('Its kind.', 'Secret'),
      name: objectName('Its name.'),
      namespace: namespace('Its namespace; another one needs a ReferenceGrant.'),
    },
    { required: ['name'] },
  );

const tls = object(
  'TLS of the listener.',
  {
    mode: oneWord('Where TLS ends.', ['Terminate', 'Passthrough'], 'Terminate'),
    certificateRefs: list('Certificates and keys.', secretReference('One of them.'), { maxItems: 64 }),
    options,
  },
  {
    rules: [
      {
        rule: "self.mode != 'Terminate' || (has(self.certificateRefs) && size(self.certificateRefs) > 0) || (has(self.options) && size(self.options) > 0)",
        message: 'certificateRefs or options must be specified when mode is Terminate',
      },
    ],
  },
);

const routeKind = object(
  'One kind.',
  { group: group('Its group.', 'gateway.networking.k8s.io'), kind: kindName('Its kind.') },
  { required: ['kind'] },
);

const allowedRoutes = object(
  'Routes that may attach.',
  {
    namespaces: object(
      'Namespaces of the routes.',
      {
        from: oneWord('Which namespaces.', ['All', 'Selector', 'Same'], 'Same'),
        selector: labelSelector,
      },
      { default: { from: 'Same' } },
    ),
    kinds: list('Kinds of the routes; by protocol if left out.', routeKind, { maxItems: 8 }),
  },
  { default: { namespaces: { from: 'Same' } } },
);

const listenerFields: Fields = {
  name: sectionName('Name of the listener.'),
  hostname: hostname('Host that it is for; all if left out.'),
  port: port('Port number.'),
  protocol,
  tls,
  allowedRoutes,
};

/** The names of core protocols have no case. Spelled out, since not every engine knows a flag inside an expression. */
function anyCase(...names: readonly string[]): string {
  const letters = (name: string): string =>
    name.replaceAll(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`);
  return `^(${names.map(letters).join('|')})$`;
}

const rules: readonly Rule[] = [
  {
    rule: `self.all(l, l.protocol.matches('${anyCase('HTTP', 'TCP', 'UDP')}') ? !has(l.tls) : true)`,
    message: "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
  },
  {
    rule: `self.all(l, (l.protocol.matches('${anyCase('HTTPS')}') && has(l.tls)) ? l.tls.mode == 'Terminate' : true)`,
    message: 'tls mode must be Terminate for protocol HTTPS',
  },
  {
    rule: `self.all(l, l.protocol.matches('${anyCase('TLS')}') ? has(l.tls) : true)`,
    message: 'tls must be set for protocol TLS',
  },
  {
    rule: `self.all(l, l.protocol.matches('${anyCase('TCP', 'UDP')}') ? !has(l.hostname) : true)`,
    message: "hostname must not be specified for protocols ['TCP', 'UDP']",
  },
  {
    rule: 'self.all(one, self.exists_one(other, one.name == other.name))',
    message: 'Listener name must be unique',
  },
  {
    rule: 'self.all(one, self.exists_one(other, one.port == other.port && one.protocol == other.protocol && (has(one.hostname) && has(other.hostname) ? one.hostname == other.hostname : !has(one.hostname) && !has(other.hostname))))',
    message: 'Combination of port, protocol and hostname must be unique for each listener',
  },
];

/** Listeners of a Gateway or of a ListenerSet: 1 to 64, merged by name. */
export const listeners = list(
  'What is listened on.',
  object('One listener.', listenerFields, { required: ['name', 'port', 'protocol'] }),
  { keys: ['name'], minItems: 1, maxItems: 64, rules },
);

/** What became of each listener. */
export const listenerStatus = list(
  'Status of each listener.',
  object(
    'Status of one listener.',
    {
      name: sectionName('Name of the listener.'),
      supportedKinds: list('Kinds of routes that may attach.', routeKind, { maxItems: 8 }),
      attachedRoutes: { type: 'integer', format: 'int32', description: 'How many routes are attached.' },
      conditions: conditions(8),
    },
    { required: ['attachedRoutes', 'conditions', 'name'] },
  ),
  { keys: ['name'], maxItems: 64 },
);
