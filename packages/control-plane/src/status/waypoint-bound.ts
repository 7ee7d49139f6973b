import type { Service, ServiceEntry, WorkloadEntry } from '@ambient/kube';
import type { Visibility } from '../translate/mesh-settings.ts';
import type { WaypointBinding } from '../translate/waypoint.ts';
import { applyConditions, fieldManagers } from './condition.ts';
import type { StatusApply, WantedCondition } from './condition.ts';

const BOUND = 'istio.io/WaypointBound';
const MISSING = 'istio.io/WaypointMissing';
const VISIBILITY = 'istio.io/VisibilityApplied';

/** Whether the wish for a waypoint was granted. Nobody who wished for none gets a condition. */
function waypointBoundCondition(binding: WaypointBinding): WantedCondition | undefined {
  if (binding.state === 'none') return undefined;
  const { reason, message } = binding;
  return { type: BOUND, status: binding.state === 'bound' ? 'True' : 'False', reason, message };
}

/** The status of a Service. */
export function serviceStatus(
  service: Service,
  waypoint: WaypointBinding,
  now: string,
): StatusApply | undefined {
  const bound = waypointBoundCondition(waypoint);
  return applyConditions(service, fieldManagers.service, [BOUND], bound === undefined ? [] : [bound], now);
}

/** The status of a WorkloadEntry. A waypoint of its namespace that does not take workloads is nothing to report. */
export function workloadEntryStatus(
  entry: WorkloadEntry,
  waypoint: WaypointBinding,
  now: string,
): StatusApply | undefined {
  const isSilent =
    waypoint.state === 'refused' && waypoint.inherited && waypoint.reason === 'UnsupportedTrafficType';
  const bound = isSilent ? undefined : waypointBoundCondition(waypoint);
  const wanted = bound === undefined ? [] : [bound];
  return applyConditions(entry, fieldManagers.workloadEntry, [BOUND], wanted, now);
}

/** What the translation of a ServiceEntry found out (`ServiceEntryTranslation`). */
export interface ServiceEntryFindings {
  readonly waypoint: WaypointBinding;
  readonly waypointMissing: boolean;
  /** Undefined where the mesh does not rule visibility. */
  readonly visibility: Visibility | undefined;
}

/** The status of a ServiceEntry, its allocated addresses apart. */
export function serviceEntryStatus(
  entry: ServiceEntry,
  findings: ServiceEntryFindings,
  now: string,
): StatusApply | undefined {
  const wanted: WantedCondition[] = [];
  const bound = waypointBoundCondition(findings.waypoint);
  if (bound !== undefined) wanted.push(bound);
  // True is the problem here, as the name says.
  if (findings.waypointMissing)
    wanted.push({
      type: MISSING,
      status: 'True',
      reason: 'WaypointRequired',
      message:
        'this entry resolves names as they are asked for, which only a waypoint can: set label istio.io/use-waypoint on it or on its namespace',
    });
  if (findings.visibility !== undefined)
    wanted.push({
      type: VISIBILITY,
      status: 'True',
      reason: visibilityReasons[findings.visibility],
      message: visibilityMessages[findings.visibility],
    });
  return applyConditions(entry, fieldManagers.service, [BOUND, MISSING, VISIBILITY], wanted, now);
}

const visibilityReasons: Readonly<Record<Visibility, string>> = {
  PUBLIC: 'Public',
  NAMESPACE: 'Namespace',
  NONE: 'None',
};
const visibilityMessages: Readonly<Record<Visibility, string>> = {
  PUBLIC: 'visible in every namespace, by serviceEntryVisibility of the mesh',
  NAMESPACE: 'visible in its own namespace only, by serviceEntryVisibility of the mesh',
  NONE: 'not part of the mesh, by serviceEntryVisibility of the mesh',
};
