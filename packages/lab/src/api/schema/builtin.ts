import { admissionregistrationTypes } from './builtin/admissionregistration.ts';
import { apiextensionsTypes } from './builtin/apiextensions.ts';
import { appsTypes } from './builtin/apps.ts';
import { authenticationTypes } from './builtin/authentication.ts';
import { authorizationTypes } from './builtin/authorization.ts';
import { autoscalingTypes, autoscalingV1Types } from './builtin/autoscaling.ts';
import { batchTypes } from './builtin/batch.ts';
import { coordinationTypes } from './builtin/coordination.ts';
import { coreTypes } from './builtin/core.ts';
import { discoveryTypes } from './builtin/discovery.ts';
import { eventsTypes } from './builtin/events.ts';
import { networkingTypes } from './builtin/networking.ts';
import { policyTypes } from './builtin/policy.ts';
import { rbacTypes } from './builtin/rbac.ts';
import { schedulingTypes } from './builtin/scheduling.ts';
import { storageTypes } from './builtin/storage.ts';
import type { ApiTypes } from './api-types.ts';
import { StructuralSchema } from './structural-schema.ts';

/** The types of each built-in API group, by `group/version` (`v1` for the core group). */
const groups: Readonly<Record<string, ApiTypes>> = {
  v1: coreTypes,
  'admissionregistration.k8s.io/v1': admissionregistrationTypes,
  'apiextensions.k8s.io/v1': apiextensionsTypes,
  'apps/v1': appsTypes,
  'authentication.k8s.io/v1': authenticationTypes,
  'authorization.k8s.io/v1': authorizationTypes,
  'autoscaling/v1': autoscalingV1Types,
  'autoscaling/v2': autoscalingTypes,
  'batch/v1': batchTypes,
  'coordination.k8s.io/v1': coordinationTypes,
  'discovery.k8s.io/v1': discoveryTypes,
  'events.k8s.io/v1': eventsTypes,
  'networking.k8s.io/v1': networkingTypes,
  'policy/v1': policyTypes,
  'rbac.authorization.k8s.io/v1': rbacTypes,
  'scheduling.k8s.io/v1': schedulingTypes,
  'storage.k8s.io/v1': storageTypes,
};

const parsed = new Map<string, StructuralSchema>();

/**
 * The schema of a built-in kind: its fields as of Kubernetes 1.36, what is required of a request, defaults that do not
 * depend on other fields, merge keys and list types. Undefined for kinds that are not served.
 */
export function builtInSchema(group: string, version: string, kind: string): StructuralSchema | undefined {
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const types = Object.hasOwn(groups, apiVersion) ? groups[apiVersion] : undefined;
  if (types?.has(kind) !== true) return undefined;
  const key = `${apiVersion}/${kind}`;
  let schema = parsed.get(key);
  if (schema === undefined) parsed.set(key, (schema = StructuralSchema.parse(types.type(kind))));
  return schema;
}
