import type { Route } from '@ambient/kube';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { MeshSettings } from '../translate/mesh-settings.ts';
import type { BackendProblem } from '../translate/route-backend.ts';
import { backendProblems } from '../translate/route-backend.ts';
import type { Attachment, MeshParent } from '../translate/route-parent.ts';
import { attach, meshParents } from '../translate/route-parent.ts';
import { serviceWaypoint } from '../translate/waypoint.ts';
import { describeProblems } from '../validation/problem.ts';
import type { WantedCondition } from './condition.ts';
import type { WantedParent } from './route-parents.ts';

const ACCEPTED = 'Accepted';
const RESOLVED_REFS = 'ResolvedRefs';
const RESOLVED_WAYPOINTS = 'ResolvedWaypoints';
const USE_WAYPOINT_LABEL = 'istio.io/use-waypoint';

/** What is true of a route at each service that it names as a parent; nothing of one that only has Gateways. */
export function routeParents(route: Route, lookup: ClusterLookup, mesh: MeshSettings): WantedParent[] {
  const parents = meshParents(route);
  if (parents.length === 0) return [];
  const namespace = route.metadata.namespace ?? '';
  const references = resolvedRefs(backendProblems(route, lookup, mesh));
  return parents.map((parent) => {
    const attachment = attach(parent, namespace, lookup, mesh);
    const { reason, message } = attachment;
    const accepted = conditionOf(ACCEPTED, reason === 'Accepted', reason, message);
    return {
      parent,
      conditions: [accepted, references, resolvedWaypoints(parent, attachment, lookup, mesh)],
    };
  });
}

function resolvedRefs(problems: readonly BackendProblem[]): WantedCondition {
  const [first] = problems;
  return first === undefined
    ? conditionOf(RESOLVED_REFS, true, 'ResolvedRefs', 'every backend is there and may be sent to')
    : conditionOf(RESOLVED_REFS, false, first.reason, describeProblems(problems));
}

/**
 * Whether the service has a waypoint, without which nobody carries the route out. Istio says so in the reason alone and
 * leaves the status True (facts/l7.md, trap 22); who waits for the condition must not be told that all is well.
 */
function resolvedWaypoints(
  { kind, namespace, name }: MeshParent,
  { service, message }: Attachment,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): WantedCondition {
  if (service === undefined) return conditionOf(RESOLVED_WAYPOINTS, false, 'NoMatchingParent', message);
  const binding = serviceWaypoint(service.metadata, lookup, mesh, service.namespaceOnly);
  switch (binding.state) {
    case 'bound': {
      const waypoint = `${binding.gateway.namespace}/${binding.gateway.name}`;
      return conditionOf(
        RESOLVED_WAYPOINTS,
        true,
        'ResolvedWaypoints',
        `carried out by waypoint ${waypoint}`,
      );
    }
    case 'refused':
      return conditionOf(RESOLVED_WAYPOINTS, false, binding.reason, binding.message);
    case 'none': {
      const what = `${kind} ${namespace}/${name}`;
      const why =
        service.metadata.labels?.[USE_WAYPOINT_LABEL] === 'none'
          ? `label ${USE_WAYPOINT_LABEL}=none of ${what} opts out of waypoints`
          : `neither ${what} nor its namespace has label ${USE_WAYPOINT_LABEL} with a waypoint's name`;
      return conditionOf(
        RESOLVED_WAYPOINTS,
        false,
        'MissingUseWaypointLabel',
        `${why}; without a waypoint the route has no effect`,
      );
    }
  }
}

function conditionOf(type: string, holds: boolean, reason: string, message: string): WantedCondition {
  return { type, status: holds ? 'True' : 'False', reason, message };
}
