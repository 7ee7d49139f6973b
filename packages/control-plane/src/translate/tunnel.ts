// Whether a workload can be reached over HBONE.
import { istio } from '@ambient/wire';
import type { ObjectMeta } from '@ambient/kube';

export const REDIRECTION_ANNOTATION = 'ambient.istio.io/redirection';
const TUNNEL_LABEL = 'networking.istio.io/tunnel';

const { TunnelProtocol } = istio.workload;

/**
 * The node agent's annotation says that a pod is captured, whatever its namespace says; the label says that the
 * workload speaks HBONE itself (comma-separated list that contains `http`).
 */
export function tunnelOf(
  metadata: Pick<ObjectMeta, 'labels' | 'annotations'>,
): Pick<istio.workload.IWorkload, 'tunnelProtocol' | 'nativeTunnel'> {
  const tunnels = metadata.labels?.[TUNNEL_LABEL];
  if (tunnels !== undefined && tunnels.split(',').includes('http')) {
    return { tunnelProtocol: TunnelProtocol.HBONE, nativeTunnel: true };
  }
  if (metadata.annotations?.[REDIRECTION_ANNOTATION] === 'enabled') {
    return { tunnelProtocol: TunnelProtocol.HBONE };
  }
  return {};
}
