import { age, versions } from '../definition.ts';
import type { Kind } from '../definition.ts';
import { atMostOne, boolean, double, list, map, object, oneWord, string } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { attachment, chartLabels, istioStatus, oneAttachment } from './common.ts';

const providers = list(
  'Providers, as the mesh configuration names them.',
  object('One provider.', { name: string('Its name.', { minLength: 1 }) }, { required: ['name'] }),
);

const disabled = boolean('Switch it off.', { nullable: true });
const mode = oneWord('Side of the connection.', ['CLIENT_AND_SERVER', 'CLIENT', 'SERVER']);

const named = (description: string, what: string): Schema =>
  object(
    description,
    {
      name: string(`Name of the ${what}.`, { minLength: 1 }),
      defaultValue: string('Value if it is missing.'),
    },
    { required: ['name'] },
  );

const tracing = object('Traces.', {
  match: object('Side that it is for.', { mode }),
  providers,
  randomSamplingPercentage: double('Share of the requests that are traced, in percent.', {
    minimum: 0,
    maximum: 100,
    nullable: true,
  }),
  disableSpanReporting: boolean('Report no spans.', { nullable: true }),
  customTags: map(
    'Further tags by name.',
    object(
      'One tag.',
      {
        literal: object(
          'A fixed value.',
          { value: string('The value.', { minLength: 1 }) },
          { required: ['value'] },
        ),
        environment: named('An environment variable of the proxy.', 'variable'),
        header: named('A header of the request.', 'header'),
        formatter: object(
          'A format string of the access log.',
          { value: string('The format.', { minLength: 1 }) },
          { required: ['value'] },
        ),
      },
      { oneOf: atMostOne('literal', 'environment', 'header', 'formatter') },
    ),
  ),
  useRequestIdForTraceSampling: boolean('Sample by the request id.', { nullable: true }),
  enableIstioTags: boolean("Add Istio's own tags.", { nullable: true }),
  disableContextPropagation: boolean('Pass no trace context on.', { nullable: true }),
});

const metrics = object('Metrics.', {
  providers,
  reportingInterval: string('Time between reports to TCP collectors.', { maxLength: 64 }),
  overrides: list(
    'Changes to the metrics, in order.',
    object('One change.', {
      match: object(
        'Metrics that it is for.',
        {
          metric: oneWord('A metric of the mesh.', [
            'ALL_METRICS',
            'REQUEST_COUNT',
            'REQUEST_DURATION',
            'REQUEST_SIZE',
            'RESPONSE_SIZE',
            'TCP_OPENED_CONNECTIONS',
            'TCP_CLOSED_CONNECTIONS',
            'TCP_SENT_BYTES',
            'TCP_RECEIVED_BYTES',
            'GRPC_REQUEST_MESSAGES',
            'GRPC_RESPONSE_MESSAGES',
          ]),
          customMetric: string('Another metric.', { minLength: 1 }),
          mode,
        },
        { oneOf: atMostOne('metric', 'customMetric') },
      ),
      disabled,
      tagOverrides: map(
        'Labels by name.',
        object(
          'One label.',
          {
            operation: oneWord('Set it, or take it away.', ['UPSERT', 'REMOVE']),
            value: string('CEL expression that gives the value.'),
          },
          {
            rules: [
              {
                rule: "(has(self.operation) && self.operation == 'REMOVE') != (has(self.value) && self.value != '')",
                message:
                  'value must be set when operation is UPSERT, and must not be set when operation is REMOVE',
              },
            ],
          },
        ),
        { maxProperties: 128 },
      ),
    }),
    { maxItems: 128 },
  ),
});

const accessLogging = object('Access logs.', {
  match: object('Side that it is for.', { mode }),
  providers,
  disabled,
  filter: object('Which requests are logged.', {
    expression: string('CEL expression that is true for them.'),
  }),
});

export const telemetry: Kind = {
  group: 'telemetry.istio.io',
  kind: 'Telemetry',
  plural: 'telemetries',
  shortNames: ['telemetry'],
  categories: ['istio-io', 'telemetry-istio-io'],
  optionalSpec: true,
  description: 'Traces, metrics and access logs of proxies.',
  columns: [{ ...age }],
  versions: versions(['v1', 'v1alpha1'], {
    spec: object(
      'The settings.',
      {
        ...attachment,
        tracing: list('Traces.', tracing),
        metrics: list('Metrics.', metrics, { maxItems: 64 }),
        accessLogging: list('Access logs.', accessLogging),
      },
      { rules: [oneAttachment] },
    ),
    status: istioStatus(),
  }),
  stored: 'v1',
  labels: { ...chartLabels, istio: 'telemetry' },
};
