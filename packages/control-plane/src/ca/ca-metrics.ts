import type { MetricDefinition } from '@ambient/runtime';

/** Metrics of the certificate authority. */
export const caMetrics: readonly MetricDefinition[] = [
  {
    name: 'ca_certificates_issued_total',
    help: 'Certificates issued to callers.',
    type: 'counter',
    labels: ['impersonated'],
    boundedLabels: ['impersonated'],
  },
  {
    name: 'ca_certificates_refused_total',
    help: 'Requests for certificates that were refused, by reason.',
    type: 'counter',
    labels: ['reason'],
    boundedLabels: ['reason'],
  },
  {
    name: 'ca_material_errors_total',
    help: 'Times that CA certificates, keys or records were found unusable, by reason; the last good ones stay in use.',
    type: 'counter',
    labels: ['reason'],
    boundedLabels: ['reason'],
  },
  {
    name: 'ca_material_unusable',
    help: '1 while the CA works with the last good material, because what is stored now cannot be used.',
    type: 'gauge',
    labels: [],
  },
  {
    name: 'ca_signing_certificate_expiry_seconds',
    help: 'Unix time at which the chain of the signing authority ends.',
    type: 'gauge',
    labels: [],
  },
];

/** The part of the metrics registry that the CA uses. */
export interface CaMetricsSink {
  add(name: string, labels: readonly string[], n?: number): void;
  set(name: string, labels: readonly string[], value: number): void;
}
