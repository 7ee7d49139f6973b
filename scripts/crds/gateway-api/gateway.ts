import { age, versions } from '../definition.ts';
import type { Column, Kind, Version } from '../definition.ts';
import { conditions, pending } from '../conditions.ts';
import { also, int32, labels, list, object, oneWord, port, string } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { listeners, listenerStatus, secretReference } from './listener.ts';
import {
  annotations,
  categories,
  controllerName,
  gatewayGroup,
  group,
  kindName,
  labelSelector,
  localReference,
  namespace,
  objectName,
} from './names.ts';

const condition = (type: string): Column => ({
  name: type,
  path: `.status.conditions[?(@.type=="${type}")].status`,
});

const parametersRef = object(
  'An object with further settings.',
  {
    group: group('Its group.'),
    kind: kindName('Its kind.'),
    name: objectName('Its name.'),
    namespace: namespace('Its namespace, if it has one.'),
  },
  { required: ['group', 'kind', 'name'] },
);

/** A controller must not be able to take over an object that another has built on. */
export const controller = also(controllerName('The controller that is responsible.'), {
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'Value is immutable' }],
});

const supportedFeatures = list(
  'Optional features that are supported.',
  object('One feature.', { name: string('Its name.') }, { required: ['name'] }),
  { keys: ['name'], maxItems: 64 },
);

/** Spec and status of what a controller claims: classes and meshes. */
function withController(description: string): Omit<Version, 'name'> {
  return {
    spec: object(
      description,
      {
        controllerName: controller,
        parametersRef,
        description: string('What it is, for people.', { maxLength: 64 }),
      },
      { required: ['controllerName'] },
    ),
    status: object(
      'What the controller reports.',
      { conditions: conditions(8, ['Accepted']), supportedFeatures },
      { default: { conditions: pending(['Accepted']) } },
    ),
  };
}

export const gatewayClass: Kind = {
  group: gatewayGroup,
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  shortNames: ['gc'],
  categories,
  scope: 'Cluster',
  description: 'A class of Gateways with a common controller.',
  columns: [
    { name: 'Controller', path: '.spec.controllerName' },
    condition('Accepted'),
    { ...age },
    { name: 'Description', path: '.spec.description', wide: true },
  ],
  versions: versions(['v1', 'v1beta1'], withController('The class.')),
  stored: 'v1',
  annotations,
};

const addressType = string('IPAddress, Hostname, or one with a domain.', {
  default: 'IPAddress',
  minLength: 1,
  maxLength: 253,
  pattern:
    "^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$",
});

const hostnameRule = {
  rule: "self.type != 'Hostname' || !has(self.value) || self.value.matches('^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",
  message: 'Hostname value must be a DNS name',
};

const validation = object(
  'How client certificates are checked.',
  {
    caCertificateRefs: list(
      'Authorities of the clients.',
      also(parametersRef, { description: 'One of them.' }),
      {
        minItems: 1,
        maxItems: 8,
      },
    ),
    mode: oneWord(
      'What happens to a client without a valid certificate.',
      ['AllowValidOnly', 'AllowInsecureFallback'],
      'AllowValidOnly',
    ),
  },
  { required: ['caCertificateRefs'] },
);

const gatewayTls = object('TLS of the whole gateway.', {
  backend: object('Towards backends.', {
    clientCertificateRef: secretReference('Certificate that the gateway shows.'),
  }),
  frontend: object(
    'Towards clients.',
    {
      default: object('For all HTTPS ports.', { validation }),
      perPort: list(
        'For single ports.',
        object(
          'For one port.',
          { port: port('Port number.'), tls: object('Its TLS.', { validation }) },
          { required: ['port', 'tls'] },
        ),
        { keys: ['port'], maxItems: 64 },
      ),
    },
    { required: ['default'] },
  ),
});

const uniqueAddresses = (type: string) => ({
  rule: `self.all(one, one.type == '${type}' && has(one.value) ? self.exists_one(other, other.type == one.type && has(other.value) && other.value == one.value) : true)`,
  message: `${type} values must be unique`,
});

const labelValues: Schema = {
  type: 'string',
  maxLength: 63,
  pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$',
};

const keyRule = (what: string) => ({
  rule: "self.all(key, key.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$'))",
  message: `${what} keys must be an optional DNS prefix and a name of up to 63 characters`,
});

const gatewaySpec = object(
  'The gateway.',
  {
    gatewayClassName: objectName('Name of its GatewayClass.'),
    listeners,
    addresses: list(
      'Addresses that are asked for.',
      object(
        'One address.',
        { type: addressType, value: string('The address; any of the type if left out.', { maxLength: 253 }) },
        { rules: [hostnameRule] },
      ),
      { maxItems: 16, rules: [uniqueAddresses('IPAddress'), uniqueAddresses('Hostname')] },
    ),
    infrastructure: object('What is made for the gateway.', {
      labels: also(labels('Labels of it.', { maxProperties: 8, rules: [keyRule('Label')] }), {
        additionalProperties: labelValues,
      }),
      annotations: also(labels('Annotations of it.', { maxProperties: 16, rules: [keyRule('Annotation')] }), {
        additionalProperties: { type: 'string', maxLength: 4096 },
      }),
      parametersRef: localReference('An object with further settings.'),
    }),
    allowedListeners: object('ListenerSets that may attach.', {
      namespaces: object(
        'Namespaces of the ListenerSets.',
        {
          from: oneWord('Which namespaces.', ['All', 'Selector', 'Same', 'None'], 'None'),
          selector: labelSelector,
        },
        { default: { from: 'None' } },
      ),
    }),
    tls: gatewayTls,
    defaultScope: oneWord('Routes that attach without naming it.', ['All', 'None']),
  },
  { required: ['gatewayClassName', 'listeners'] },
);

export const gateway: Kind = {
  group: gatewayGroup,
  kind: 'Gateway',
  plural: 'gateways',
  shortNames: ['gtw'],
  categories,
  description: 'Listeners with addresses, made by a controller; in a mesh also a waypoint.',
  columns: [
    { name: 'Class', path: '.spec.gatewayClassName' },
    { name: 'Address', path: '.status.addresses[*].value' },
    condition('Programmed'),
    { ...age },
  ],
  versions: versions(['v1', 'v1beta1'], {
    spec: gatewaySpec,
    status: object(
      'What the controller reports.',
      {
        addresses: list(
          'Addresses that it has.',
          object(
            'One address.',
            { type: addressType, value: string('The address.', { minLength: 1, maxLength: 253 }) },
            { required: ['value'], rules: [hostnameRule] },
          ),
          { maxItems: 16 },
        ),
        conditions: conditions(8, ['Accepted', 'Programmed']),
        listeners: listenerStatus,
        attachedListenerSets: int32('How many ListenerSets are attached.'),
      },
      { default: { conditions: pending(['Accepted', 'Programmed']) } },
    ),
  }),
  stored: 'v1',
  annotations,
};

export const listenerSet: Kind = {
  group: gatewayGroup,
  kind: 'ListenerSet',
  plural: 'listenersets',
  shortNames: ['lset'],
  categories,
  description: 'Further listeners of a Gateway, in an object of their own.',
  columns: [condition('Accepted'), condition('Programmed'), { ...age }],
  versions: versions(['v1'], {
    spec: object(
      'The listeners.',
      {
        parentRef: object(
          'The Gateway.',
          {
            group: group('Its group.', gatewayGroup),
            kind: kindName('Its kind.', 'Gateway'),
            name: objectName('Its name.'),
            namespace: namespace('Its namespace; the same if left out.'),
          },
          { required: ['name'] },
        ),
        listeners,
      },
      { required: ['listeners', 'parentRef'] },
    ),
    status: object(
      'What the controller reports.',
      { conditions: conditions(8, ['Accepted', 'Programmed']), listeners: listenerStatus },
      { default: { conditions: pending(['Accepted', 'Programmed']) } },
    ),
  }),
  stored: 'v1',
  annotations,
};

export const mesh: Kind = {
  group: 'gateway.networking.x-k8s.io',
  kind: 'XMesh',
  plural: 'xmeshes',
  shortNames: ['mesh'],
  categories,
  scope: 'Cluster',
  description: 'A mesh and the features of the Gateway API that it supports.',
  columns: [condition('Accepted'), { ...age }],
  versions: versions(['v1alpha1'], withController('The mesh.')),
  stored: 'v1alpha1',
  annotations,
};
