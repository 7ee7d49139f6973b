import type { Service, Workload } from '@ambient/mesh';
import { workloadIdentity } from '@ambient/mesh';
import { connectionLabelNames } from './metric-definitions.ts';

export type Reporter = 'source' | 'destination';

/** Values of the label `response_flags`: why a connection was refused or failed. */
export const responseFlags = {
  '-': 'nothing went wrong',
  DENY: 'denied by authorization policies, here or by the other side (401)',
  CONNECT: 'the destination could not be found or reached, or the connection broke',
  TLS_FAILURE: 'the TLS handshake between the proxies failed',
  H2_HANDSHAKE_FAILURE: 'TLS stood, HTTP/2 did not',
  NETWORK_POLICY: 'no answer from the HBONE port: a NetworkPolicy may block it',
  IDENTITY_ERROR: 'no certificate of our own, or the other side is not who it must be',
  CERT_REVOKED: "the other side's certificate is revoked",
} as const;

/** A key of {@link responseFlags}. */
export type ResponseFlag = keyof typeof responseFlags;

type LabelledWorkload = Pick<
  Workload,
  'workloadName' | 'namespace' | 'canonicalName' | 'canonicalRevision' | 'clusterId' | 'locality'
>;
type LabelledService = Pick<Service, 'hostname' | 'namespace' | 'name'>;

/** What the metrics say about one connection. Destination is the next hop, a waypoint for example. */
export interface ConnectionLabelInputs {
  readonly reporter: Reporter;
  readonly source: LabelledWorkload | undefined;
  /** Whole SPIFFE URI. */
  readonly sourcePrincipal: string | undefined;
  readonly destination: LabelledWorkload | undefined;
  /** Whole SPIFFE URI. */
  readonly destinationPrincipal: string | undefined;
  readonly destinationService: LabelledService | undefined;
  readonly securityPolicy: 'mutual_tls' | 'unknown';
}

const unknown = 'unknown';
const flagIndex = connectionLabelNames.indexOf('response_flags');

function orUnknown(value: string | undefined): string {
  return value === undefined || value === '' ? unknown : value;
}

function pushWorkload(
  labels: string[],
  workload: LabelledWorkload | undefined,
  principal: string | undefined,
): void {
  const service = orUnknown(workload?.canonicalName);
  const revision = orUnknown(workload?.canonicalRevision);
  labels.push(
    orUnknown(workload?.workloadName),
    service,
    revision,
    orUnknown(workload?.namespace),
    orUnknown(principal),
    service, // app and version repeat the canonical names, as Istio has it
    revision,
    orUnknown(workload?.clusterId),
  );
}

/** Values of the `source_` labels alone, of metrics that have no destination. The principal is the workload's own. */
export function sourceLabels(source: Workload): readonly string[] {
  const labels: string[] = [];
  pushWorkload(labels, source, workloadIdentity(source));
  return labels;
}

/**
 * Label values of a connection in the order of `connectionLabelNames`, with the flag `-`. What is not known says
 * `unknown`.
 */
export function connectionLabels(inputs: ConnectionLabelInputs): readonly string[] {
  const { reporter, source, destination, destinationService: service } = inputs;
  const labels: string[] = [reporter];
  pushWorkload(labels, source, inputs.sourcePrincipal);
  pushWorkload(labels, destination, inputs.destinationPrincipal);
  labels.push(
    orUnknown(service?.hostname),
    orUnknown(service?.namespace),
    orUnknown(service?.name),
    'tcp',
    '-',
    inputs.securityPolicy,
    orUnknown(source?.locality.region),
    orUnknown(source?.locality.zone),
    orUnknown(destination?.locality.region),
    orUnknown(destination?.locality.zone),
  );
  return labels;
}

/** The same labels with another flag: `opened` always says `-`, `failed` and `closed` say what happened. */
export function withResponseFlag(labels: readonly string[], flag: ResponseFlag): readonly string[] {
  return flag === '-' ? labels : labels.with(flagIndex, flag);
}
