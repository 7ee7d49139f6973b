import { validateAuthorizationPolicy } from './authorization-policy.ts';
import { validateDestinationRule } from './destination-rule.ts';
import { validateGateway } from './gateway.ts';
import { validatePeerAuthentication } from './peer-authentication.ts';
import type { FieldProblem } from './problem.ts';
import { validateEnvoyFilter, validateProxyConfig, validateSidecar } from './proxy-resources.ts';
import { validateRequestAuthentication } from './request-authentication.ts';
import { validateServiceEntry } from './service-entry.ts';
import { validateTelemetry } from './telemetry.ts';
import { validateVirtualService } from './virtual-service.ts';
import { validateWorkloadEntry, validateWorkloadGroup } from './workload-entry.ts';

type Validator = (object: unknown) => readonly FieldProblem[];

const validators: Readonly<Record<string, Validator>> = {
  'security.istio.io/AuthorizationPolicy': validateAuthorizationPolicy,
  'security.istio.io/PeerAuthentication': validatePeerAuthentication,
  'security.istio.io/RequestAuthentication': validateRequestAuthentication,
  'networking.istio.io/DestinationRule': validateDestinationRule,
  'networking.istio.io/EnvoyFilter': validateEnvoyFilter,
  'networking.istio.io/ProxyConfig': validateProxyConfig,
  'networking.istio.io/ServiceEntry': validateServiceEntry,
  'networking.istio.io/Sidecar': validateSidecar,
  'networking.istio.io/VirtualService': validateVirtualService,
  'networking.istio.io/WorkloadEntry': validateWorkloadEntry,
  'networking.istio.io/WorkloadGroup': validateWorkloadGroup,
  'telemetry.istio.io/Telemetry': validateTelemetry,
  'gateway.networking.k8s.io/Gateway': validateGateway,
};

/**
 * What is wrong with an object, by its API group and kind in any version; nothing for kinds that have no checks here. Takes
 * any JSON and never throws.
 */
export function validate(group: string, kind: string, object: unknown): readonly FieldProblem[] {
  const key = `${group}/${kind}`;
  return Object.hasOwn(validators, key) ? validators[key]!(object) : [];
}
