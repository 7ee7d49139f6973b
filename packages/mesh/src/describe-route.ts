import { formatHostPort } from './ip.ts';
import type { Route, RouteStep } from './route.ts';

/** A route and the steps that led to it, as lines for people. The last line is what happens to the connection. */
export function describeRoute(route: Route, steps: readonly RouteStep[] = []): string[] {
  return [...steps.map(describeStep), describeOutcome(route)];
}

function describeStep(step: RouteStep): string {
  switch (step.kind) {
    case 'destination': {
      const address = formatHostPort(step.address.ip, step.address.port);
      const where = step.network === '' ? '' : ` on network ${step.network}`;
      return step.found === 'nothing'
        ? `${address}${where} is not known to the mesh`
        : `${address}${where} is ${step.found} ${step.key}`;
    }
    case 'waypoint':
      return step.outcome === 'used'
        ? `${step.of} ${step.key} has waypoint ${step.waypoint}`
        : `${step.of} ${step.key} has waypoint ${step.waypoint}, which is the caller`;
    case 'endpoints': {
      const { census } = step;
      const out = [
        describeCount(census.unhealthy, 'not ready'),
        describeCount(census.withoutPort, 'without the port'),
        describeCount(census.outsideLocality, 'out of scope or farther'),
        describeCount(census.unreachable, 'unreachable'),
      ].filter((text) => text !== '');
      const left = out.length === 0 ? '' : ` (${out.join(', ')})`;
      const chosen = step.chosen === '' ? 'none can be picked' : `picked ${step.chosen}`;
      return `service ${step.service} port ${step.port}: ${step.candidates} of ${census.total} endpoints${left}, ${chosen}`;
    }
    case 'network': {
      const gateway = step.gateway === '' ? 'no gateway' : `gateway ${step.gateway}`;
      return `from network ${JSON.stringify(step.source)} to network ${JSON.stringify(step.destination)}: ${gateway}`;
    }
  }
}

function describeCount(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}`;
}

function describeOutcome(route: Route): string {
  switch (route.kind) {
    case 'passthrough':
      return `plain TCP to ${formatHostPort(route.destination.ip, route.destination.port)}, as dialled`;
    case 'direct':
      return `plain TCP to ${route.upstream.uid} at ${describeDial(route)}: the workload takes no HBONE`;
    case 'hbone': {
      const hop = route.gateway === undefined ? String(route.upstream?.uid) : `waypoint ${route.gateway.uid}`;
      return `HBONE to ${hop} at ${describeDial(route)} for ${route.authority}, expecting ${route.expectedIdentities.join(' or ')}`;
    }
    case 'double-hbone':
      return (
        `HBONE to gateway ${route.gateway.uid} at ${describeDial(route)} for ${route.authority}, ` +
        `expecting ${route.expectedIdentities.join(' or ')}; ` +
        `inside it HBONE expecting ${route.inner.expectedIdentities.join(' or ')}`
      );
    case 'refused':
      return `refused, ${route.reason}: ${route.message}`;
  }
}

function describeDial(route: {
  readonly dial: { readonly ip: string; readonly port: number };
  readonly hostnameToResolve: string | undefined;
}): string {
  return route.hostnameToResolve === undefined
    ? formatHostPort(route.dial.ip, route.dial.port)
    : `${route.hostnameToResolve}:${route.dial.port} (by DNS)`;
}
