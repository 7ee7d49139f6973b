import { also, anyObject, int64, labels, list, object, oneWord, string, strings } from '../schema.ts';
import type { Fields, Rule, Schema } from '../schema.ts';

/** Labels by which Istio's own charts mark the definitions; tools select them by it. */
export const chartLabels = { app: 'istio-pilot', chart: 'istio' };

/** Label values and keys as Kubernetes allows them, without wildcards. */
const labelRules: readonly Rule[] = [
  { rule: "self.all(key, key != '')", message: 'a label key must not be empty' },
  {
    rule: "self.all(key, !key.contains('*') && !self[key].contains('*'))",
    message: 'labels are matched whole; wildcards are not supported',
  },
];

/** Selects workloads by labels, in the form that policies use. */
export const selector = object('The workloads it applies to; without it, all of the namespace.', {
  matchLabels: also(
    labels('Labels that a workload must carry, all of them.', { maxProperties: 4096, rules: labelRules }),
    { additionalProperties: { type: 'string', maxLength: 63 } },
  ),
});

/** The older form, used by networking kinds. */
export const labelSelector = (description: string): Schema =>
  object(description, {
    labels: also(labels('Labels that a workload must carry, all of them.', { maxProperties: 256 }), {
      additionalProperties: { type: 'string', maxLength: 63 },
    }),
  });

const target = object(
  'A resource of the Gateway API, a Service or a ServiceEntry.',
  {
    group: string('API group; empty for core kinds.', {
      maxLength: 253,
      pattern: '^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
    }),
    kind: string('Kind, such as Gateway, GatewayClass, Service or ServiceEntry.', {
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$',
    }),
    name: string('Its name.', { minLength: 1, maxLength: 253 }),
    namespace: string('Must be left out: a target is in the same namespace.', {
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    }),
  },
  {
    required: ['kind', 'name'],
    rules: [{ rule: '!has(self.namespace)', message: 'a target in another namespace is not supported' }],
  },
);

/** How a policy says whom it is for: workloads by label, or targets by name. */
export const attachment: Fields = {
  selector,
  targetRef: also(target, { description: 'One target. Use targetRefs instead.' }),
  targetRefs: list('The gateways, waypoints or services it applies to.', target, { maxItems: 16 }),
};

/** A policy with both would leave open which one counts. */
export const oneAttachment: Rule = {
  rule: '(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1',
  message: 'only one of targetRefs or selector can be set',
};

const statusFields: Fields = {
  conditions: list(
    'What the control plane says about this object, one entry a type.',
    object(
      'One statement about the object.',
      {
        type: string('What is stated.', { maxLength: 316 }),
        status: oneWord('Whether it holds.', ['True', 'False', 'Unknown']),
        reason: string('A word for programs.'),
        message: string('A sentence for people.'),
        lastProbeTime: string('When it was last looked at.', { format: 'date-time' }),
        lastTransitionTime: string('When the status last changed.', { format: 'date-time' }),
        observedGeneration: int64('The metadata.generation that was looked at.'),
      },
      { required: ['type'] },
    ),
    { keys: ['type'] },
  ),
  observedGeneration: int64('The metadata.generation that the status is about.'),
  validationMessages: list('What analysis found.', anyObject('One finding.')),
};

/** Status of every Istio kind. Unknown fields are kept: controllers of several releases write here. */
export function istioStatus(extra: Fields = {}): Schema {
  return {
    ...object('What controllers report.', { ...statusFields, ...extra }),
    'x-kubernetes-preserve-unknown-fields': true,
  };
}

/** A match of a string; exactly one way. An empty one matches whatever is present. */
export function stringMatch(description: string): Schema {
  return object(
    description,
    {
      exact: string('The whole value.'),
      prefix: string('How the value begins.'),
      regex: string('A regular expression (RE2) over the whole value.'),
    },
    {
      oneOf: [
        { not: { anyOf: [{ required: ['exact'] }, { required: ['prefix'] }, { required: ['regex'] }] } },
        { required: ['exact'] },
        { required: ['prefix'] },
        { required: ['regex'] },
      ],
    },
  );
}

/** `exportTo` of the networking kinds. */
export const exportTo = strings(
  "Namespaces that see this object: '.' for its own, '*' for all (the default).",
);

export const networking = ['istio-io', 'networking-istio-io'];
export const networkingVersions = ['v1', 'v1beta1', 'v1alpha3'];
