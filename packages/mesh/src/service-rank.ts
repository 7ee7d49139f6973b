import type { KnownService } from './service-endpoints.ts';
import type { Service } from './types.ts';

/** Whether a client of that namespace may use the service by address or name. */
export function isVisible(service: Service, clientNamespace: string): boolean {
  return service.visibility === 'PUBLIC' || service.namespace === clientNamespace;
}

/**
 * Of services that share a name or an address, the one that a client means: among the visible ones, that of its own namespace,
 * else a canonical one, else one of `preferredNamespace`, else the first to arrive. Undefined if none is visible.
 */
export function bestService(
  candidates: readonly KnownService[] | undefined,
  clientNamespace: string,
  preferredNamespace?: string,
): KnownService | undefined {
  if (candidates === undefined) return undefined;
  let best: KnownService | undefined;
  let bestRank = -1;
  for (const candidate of candidates) {
    const service = candidate.service;
    if (!isVisible(service, clientNamespace)) continue;
    const rank = serviceRank(service, clientNamespace, preferredNamespace);
    if (rank > bestRank) {
      best = candidate;
      bestRank = rank;
    }
  }
  return best;
}

function serviceRank(service: Service, clientNamespace: string, preferredNamespace?: string): number {
  if (service.namespace === clientNamespace) return 3;
  if (service.canonical) return 2;
  return preferredNamespace !== undefined && service.namespace === preferredNamespace ? 1 : 0;
}
