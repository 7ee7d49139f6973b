// Where we differ on purpose from what Istio sent, with the reason.
import { readExpected } from './golden-cluster.test-data.ts';

export interface GoldenDifference {
  readonly scenario: string;
  readonly resource: string;
  /** Field of the workload or service. */
  readonly field: string;
  /** What we send; undefined: nothing. */
  readonly ours: unknown;
  readonly reason: string;
}

const labelless =
  'A selector asks for labels; what has none is selected by none. Istio attaches every selector policy of its own and the root namespace to it.';

const noLabels = (resource: string): GoldenDifference => ({
  scenario: '13-oddities',
  resource: `Address Kubernetes/${resource}`,
  field: 'authorization_policies',
  ours: undefined,
  reason: labelless,
});

export const goldenDifferences: readonly GoldenDifference[] = [
  noLabels('/Pod/bare/none'),
  noLabels('networking.istio.io/WorkloadEntry/bare/vm'),
  noLabels('networking.istio.io/ServiceEntry/bare/entry/192.0.2.2'),
  noLabels('networking.istio.io/ServiceEntry/bare/entry/192.0.2.3'),
  noLabels('networking.istio.io/ServiceEntry/bare/entry/192.0.2.4'),
  {
    scenario: '13-oddities',
    resource: 'Address Kubernetes/networking.istio.io/ServiceEntry/bare/entry/192.0.2.3',
    field: 'network',
    ours: undefined,
    reason:
      'An endpoint that names no network is on that of the mesh. In Istio the network of the endpoint before it stays, so that traffic goes to a gateway of a network where the endpoint is not.',
  },
];

type Resource = Readonly<Record<string, Record<string, unknown>>>;

/**
 * What we mean to send: the recording, with the differences that we want.
 *
 * @throws Error for a difference in what the recording does not have
 */
export function intendedDiscovery(scenario: string): Record<string, unknown> {
  const expected = readExpected(scenario);
  for (const { scenario: of, resource, field, ours } of goldenDifferences) {
    if (of !== scenario) continue;
    const body = Object.values((expected[resource] ?? {}) as Resource)[0];
    if (body === undefined || !(field in body))
      throw new Error(`${scenario}: the recording has no ${field} of ${resource} to differ from`);
    if (ours === undefined) delete body[field];
    else body[field] = ours;
  }
  return expected;
}
