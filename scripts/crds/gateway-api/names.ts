import { also, labels, object, string } from '../schema.ts';
import type { Schema } from '../schema.ts';

const dnsLabel = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const dnsName = `${dnsLabel}(\\.${dnsLabel})*`;

/** A group of kinds; empty for the core of Kubernetes. */
export const group = (description: string, fallback?: string): Schema =>
  string(description, {
    maxLength: 253,
    pattern: `^$|^${dnsName}$`,
    ...(fallback === undefined ? {} : { default: fallback }),
  });

export const kindName = (description: string, fallback?: string): Schema =>
  string(description, {
    minLength: 1,
    maxLength: 63,
    pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
    ...(fallback === undefined ? {} : { default: fallback }),
  });

export const objectName = (description: string): Schema =>
  string(description, { minLength: 1, maxLength: 253 });

export const namespace = (description: string): Schema =>
  string(description, { minLength: 1, maxLength: 63, pattern: `^${dnsLabel}$` });

/** The name of a listener, a port or a rule. */
export const sectionName = (description: string): Schema =>
  string(description, { minLength: 1, maxLength: 253, pattern: `^${dnsName}$` });

/** A DNS name whose first label may be `*`. */
export const hostname = (description: string): Schema =>
  string(description, { minLength: 1, maxLength: 253, pattern: `^(\\*\\.)?${dnsName}$` });

/** A DNS name without wildcard. */
export const preciseHostname = (description: string): Schema =>
  string(description, { minLength: 1, maxLength: 253, pattern: `^${dnsName}$` });

/** A name such as example.com/controller. */
export const controllerName = (description: string): Schema =>
  string(description, {
    minLength: 1,
    maxLength: 253,
    pattern: `^${dnsName}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
  });

export const headerName = (description: string): Schema =>
  string(description, { minLength: 1, maxLength: 256, pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$" });

/** Up to five digits and a unit, at most four times: 1h30m (GEP-2257). */
export const gatewayDuration = (description: string): Schema =>
  string(description, { pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' });

/** Options of an implementation, by names such as example.com/option. */
export const options: Schema = also(labels('Options of the implementation.', { maxProperties: 16 }), {
  additionalProperties: { type: 'string', maxLength: 4096 },
});

export const localReference = (description: string): Schema =>
  object(
    description,
    { group: group('Its group.'), kind: kindName('Its kind.'), name: objectName('Its name.') },
    { required: ['group', 'kind', 'name'] },
  );

/** metav1.LabelSelector, owned whole. */
export const labelSelector: Schema = object(
  'Namespaces by label, for from: Selector.',
  {
    matchLabels: labels('Labels that must be there with these values.'),
    matchExpressions: {
      type: 'array',
      description: 'Further demands, all of which must hold.',
      'x-kubernetes-list-type': 'atomic',
      items: object(
        'One demand.',
        {
          key: string('The label.'),
          operator: string('In, NotIn, Exists or DoesNotExist.'),
          values: {
            type: 'array',
            description: 'Values, for In and NotIn.',
            items: { type: 'string' },
            'x-kubernetes-list-type': 'atomic',
          },
        },
        { required: ['key', 'operator'] },
      ),
    },
  },
  { 'x-kubernetes-map-type': 'atomic' },
);

export const gatewayGroup = 'gateway.networking.k8s.io';
export const categories = ['gateway-api'];

/** The release whose API these kinds follow; tools that install the Gateway API look here. */
export const annotations = {
  'gateway.networking.k8s.io/bundle-version': 'v1.6.0',
  'gateway.networking.k8s.io/channel': 'experimental',
  // Groups under k8s.io are protected: without an approved or an unapproved annotation the API server refuses the definition.
  // The API is approved, these schemas were not looked at by its reviewers.
  'api-approved.kubernetes.io':
    'unapproved, schemas of another project for the API of kubernetes-sigs/gateway-api',
};
