// Where a workload runs.
import type { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';

/** Of a pod: the labels of its node. Undefined before scheduling, without the node, and without any of the labels. */
export function nodeLocality(
  nodeName: string | undefined,
  lookup: ClusterLookup,
): istio.workload.ILocality | undefined {
  if (nodeName === undefined || nodeName === '') return undefined;
  const labels = lookup.get('Node', '', nodeName)?.metadata.labels;
  return localityOf(
    labels?.['topology.kubernetes.io/region'],
    labels?.['topology.kubernetes.io/zone'],
    labels?.['topology.istio.io/subzone'],
  );
}

/** Of a WorkloadEntry or an inline endpoint: `region/zone/subzone`, later parts optional. */
export function writtenLocality(text: string | undefined): istio.workload.ILocality | undefined {
  const [region, zone, subzone] = (text ?? '').split('/');
  return localityOf(region, zone, subzone);
}

function localityOf(region = '', zone = '', subzone = ''): istio.workload.ILocality | undefined {
  return region === '' && zone === '' && subzone === '' ? undefined : { region, zone, subzone };
}
