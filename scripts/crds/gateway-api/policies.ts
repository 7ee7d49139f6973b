import { conditions } from '../conditions.ts';
import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { list, object, oneWord, string } from '../schema.ts';
import type { Fields } from '../schema.ts';
import {
  annotations,
  categories,
  controllerName,
  gatewayGroup,
  group,
  hostname,
  kindName,
  localReference,
  namespace,
  objectName,
  options,
  preciseHostname,
  sectionName,
} from './names.ts';
import { parentReference } from './route.ts';

const kindFields: Fields = { group: group('Its group.'), kind: kindName('Its kind.') };

export const referenceGrant: Kind = {
  group: gatewayGroup,
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  shortNames: ['refgrant'],
  categories,
  optionalSpec: true,
  description: 'Allows objects of other namespaces to refer to objects of this one.',
  columns: [{ ...age }],
  versions: versions(['v1', 'v1beta1'], {
    spec: object(
      'What is allowed.',
      {
        from: list(
          'Who may refer.',
          object(
            'One kind in one namespace.',
            { ...kindFields, namespace: namespace('Its namespace.') },
            { required: ['group', 'kind', 'namespace'] },
          ),
          { minItems: 1, maxItems: 16 },
        ),
        to: list(
          'What may be referred to.',
          object(
            'One kind, or one object.',
            { ...kindFields, name: objectName('Its name; all if left out.') },
            { required: ['group', 'kind'] },
          ),
          { minItems: 1, maxItems: 16 },
        ),
      },
      { required: ['from', 'to'] },
    ),
  }),
  stored: 'v1beta1',
  annotations,
};

const subjectAltName = object(
  'One name.',
  {
    type: oneWord('Kind of the name.', ['Hostname', 'URI']),
    hostname: hostname('A DNS name.'),
    uri: string('A URI, such as spiffe://….', {
      minLength: 1,
      maxLength: 253,
      pattern: '^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\\?([^#]*))?(#(.*))?',
    }),
  },
  {
    required: ['type'],
    rules: [
      {
        rule: "has(self.hostname) == (self.type == 'Hostname')",
        message: 'hostname must be set for type Hostname, and for no other',
      },
      {
        rule: "has(self.uri) == (self.type == 'URI')",
        message: 'uri must be set for type URI, and for no other',
      },
    ],
  },
);

const target = object(
  'One target.',
  { ...kindFields, name: objectName('Its name.'), sectionName: sectionName('One port or listener of it.') },
  { required: ['group', 'kind', 'name'] },
);

const validation = object(
  "How the backend's certificate is checked.",
  {
    caCertificateRefs: list('Authorities.', localReference('One of them.'), { maxItems: 8 }),
    wellKnownCACertificates: string("The system's authorities.", {
      minLength: 1,
      maxLength: 253,
      pattern:
        '^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9][-A-Za-z0-9_.]*))$',
    }),
    hostname: preciseHostname('Server name to ask for and to check.'),
    subjectAltNames: list('Names of which the certificate must carry one.', subjectAltName, { maxItems: 5 }),
  },
  {
    required: ['hostname'],
    rules: [
      {
        rule: '(has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0) != has(self.wellKnownCACertificates)',
        message: 'must specify either caCertificateRefs or wellKnownCACertificates, and not both',
      },
    ],
  },
);

export const backendTlsPolicy: Kind = {
  group: gatewayGroup,
  kind: 'BackendTLSPolicy',
  plural: 'backendtlspolicies',
  shortNames: ['btlspolicy'],
  categories,
  description: 'TLS from a gateway or waypoint to a backend.',
  columns: [{ ...age }],
  versions: versions(['v1', 'v1alpha3'], {
    spec: object(
      'The policy.',
      {
        targetRefs: list('Backends that it is for.', target, {
          minItems: 1,
          maxItems: 16,
          rules: [
            {
              rule: "self.all(one, self.exists_one(other, one.group == other.group && one.kind == other.kind && one.name == other.name && (has(one.sectionName) ? one.sectionName : '') == (has(other.sectionName) ? other.sectionName : '')))",
              message:
                'sectionName must be unique when targetRefs includes 2 or more references to the same target',
            },
          ],
        }),
        validation,
        options,
      },
      { required: ['targetRefs', 'validation'] },
    ),
    status: object(
      'What controllers report.',
      {
        ancestors: list(
          'Status at each gateway.',
          object(
            'Status at one gateway.',
            {
              ancestorRef: parentReference,
              controllerName: controllerName('The controller that reports.'),
              conditions: conditions(8),
            },
            { required: ['ancestorRef', 'conditions', 'controllerName'] },
          ),
          { maxItems: 16 },
        ),
      },
      { required: ['ancestors'] },
    ),
  }),
  stored: 'v1',
  labels: { 'gateway.networking.k8s.io/policy': 'Direct' },
  annotations,
};
