import type { ClusterLookup } from '../cluster/lookup.ts';
import type { AuthorizationPolicy } from '@ambient/kube';
import type { MeshSettings } from '../translate/mesh-settings.ts';
import type { PolicyAcceptance } from '../translate/policies/authorization-policy.ts';
import { isRecord } from '../translate/policies/policy-selection.ts';
import { serviceWaypoint } from '../translate/waypoint.ts';
import { isWaypointReady } from '../translate/waypoint-gateway.ts';
import { visibilityOf } from '../translate/service-ownership.ts';
import { describeProblems, errorsOf } from '../validation/problem.ts';
import type { FieldProblem } from '../validation/problem.ts';
import { applyConditions, fieldManagers } from './condition.ts';
import type { StatusApply, WantedCondition } from './condition.ts';

const ZTUNNEL = 'ZtunnelAccepted';
const WAYPOINT = 'WaypointAccepted';
const waypointController = 'istio.io/mesh-controller';

/** `ZtunnelAccepted` of an AuthorizationPolicy; none for one that targets waypoints. */
export function ztunnelPolicyStatus(
  policy: AuthorizationPolicy,
  acceptance: PolicyAcceptance | undefined,
  now: string,
): StatusApply | undefined {
  const wanted: WantedCondition[] =
    acceptance === undefined
      ? []
      : [
          {
            type: ZTUNNEL,
            status: acceptance.accepted ? 'True' : 'False',
            reason: acceptance.reason,
            message: acceptance.message,
          },
        ];
  return applyConditions(policy, fieldManagers.ztunnelPolicy, [ZTUNNEL], wanted, now);
}

/** `WaypointAccepted` of an AuthorizationPolicy; none for one without targets. */
export function waypointPolicyStatus(
  policy: AuthorizationPolicy,
  problems: readonly FieldProblem[],
  lookup: ClusterLookup,
  mesh: MeshSettings,
  now: string,
): StatusApply | undefined {
  const condition = waypointAcceptedCondition(policy, problems, lookup, mesh);
  const wanted = condition === undefined ? [] : [condition];
  return applyConditions(policy, fieldManagers.waypointPolicy, [WAYPOINT], wanted, now);
}

interface TargetFinding {
  readonly bound: boolean;
  readonly reason: 'Accepted' | 'Invalid' | 'AncestorNotBound' | 'TargetNotFound';
  readonly message: string;
}

/** One condition for all targets: each says in the message what became of it. */
export function waypointAcceptedCondition(
  policy: AuthorizationPolicy,
  problems: readonly FieldProblem[],
  lookup: ClusterLookup,
  mesh: MeshSettings,
): WantedCondition | undefined {
  const targets = targetsOf(policy);
  if (targets.length === 0) return undefined;
  const errors = errorsOf(problems);
  if (errors.length > 0)
    return { type: WAYPOINT, status: 'False', reason: 'Invalid', message: describeProblems(errors) };
  const findings = targets.map((target) => findTarget(target, policy.metadata.namespace ?? '', lookup, mesh));
  const bound = findings.filter((finding) => finding.bound).length;
  const [first] = findings;
  const alike = findings.every(({ reason }) => reason === first!.reason);
  return {
    type: WAYPOINT,
    status: bound > 0 ? 'True' : 'False',
    reason: alike ? first!.reason : bound > 0 ? 'PartiallyInvalid' : 'Invalid',
    message: findings.map(({ message }) => message).join('; '),
  };
}

function targetsOf(policy: AuthorizationPolicy): readonly unknown[] {
  const spec: unknown = policy.spec;
  if (!isRecord(spec)) return [];
  const single = isRecord(spec['targetRef']) ? [spec['targetRef']] : [];
  return Array.isArray(spec['targetRefs']) ? [...single, ...(spec['targetRefs'] as unknown[])] : single;
}

function findTarget(
  target: unknown,
  namespace: string,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): TargetFinding {
  const kind = isRecord(target) ? target['kind'] : undefined;
  const name = isRecord(target) ? target['name'] : undefined;
  if (typeof name !== 'string') return { bound: false, reason: 'Invalid', message: 'a target has no name' };
  switch (kind) {
    case 'GatewayClass':
      return findClass(name, namespace, lookup, mesh);
    case 'Gateway':
      return isWaypointReady(lookup.get('Gateway', namespace, name))
        ? accepted(`${namespace}/${name}`)
        : notFound(`Gateway ${namespace}/${name} does not exist, or has no address in its status yet`);
    case 'Service': {
      const service = lookup.get('Service', namespace, name);
      if (service === undefined) return notFound(`Service ${namespace}/${name} was not found`);
      return behind(`Service ${namespace}/${name}`, serviceWaypoint(service.metadata, lookup, mesh));
    }
    case 'ServiceEntry': {
      const entry = lookup.get('ServiceEntry', namespace, name);
      if (entry === undefined) return notFound(`ServiceEntry ${namespace}/${name} was not found`);
      const namespaceOnly = visibilityOf(entry, lookup, mesh) === 'NAMESPACE';
      return behind(
        `ServiceEntry ${namespace}/${name}`,
        serviceWaypoint(entry.metadata, lookup, mesh, namespaceOnly),
      );
    }
    default:
      return {
        bound: false,
        reason: 'Invalid',
        message: `a waypoint has no target of kind ${JSON.stringify(kind)}`,
      };
  }
}

/** A class stands for every waypoint of the mesh, so only the root namespace may target it. */
function findClass(
  name: string,
  namespace: string,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): TargetFinding {
  const invalid = (message: string): TargetFinding => ({ bound: false, reason: 'Invalid', message });
  if (namespace !== mesh.rootNamespace)
    return invalid(
      `a policy that targets a GatewayClass must be in the root namespace, ${mesh.rootNamespace}`,
    );
  const gatewayClass = lookup.get('GatewayClass', '', name);
  if (gatewayClass === undefined) return notFound(`GatewayClass ${name} was not found`);
  if (gatewayClass.spec?.controllerName !== waypointController)
    return invalid(
      `GatewayClass ${name} is not one of waypoints: its controllerName is not ${waypointController}`,
    );
  return accepted(name);
}

function behind(what: string, binding: ReturnType<typeof serviceWaypoint>): TargetFinding {
  if (binding.state === 'bound') return accepted(`${binding.gateway.namespace}/${binding.gateway.name}`);
  const why =
    binding.state === 'refused' ? `: ${binding.message}` : ': set label istio.io/use-waypoint on it';
  return { bound: false, reason: 'AncestorNotBound', message: `${what} is not bound to a waypoint${why}` };
}

function accepted(to: string): TargetFinding {
  return { bound: true, reason: 'Accepted', message: `bound to ${to}` };
}

function notFound(message: string): TargetFinding {
  return { bound: false, reason: 'TargetNotFound', message };
}
