/** Every translator as the engine runs it: which objects it reads, which resources it makes, and what it has to report. */
import { kindResources } from '@ambient/kube';
import { istio, typeUrl } from '@ambient/wire';

import type { Derivation, DerivedResource } from '../cluster/derivation.ts';
import { perObject } from '../cluster/derivation.ts';
import { waypointPolicyStatus, ztunnelPolicyStatus } from '../status/authorization-policy.ts';
import { takesTrust } from '../ca/trust-configmaps.ts';
import type { StatusApply } from '../status/condition.ts';
import { routeParents } from '../status/route.ts';
import { parentsUpdate } from '../status/route-parents.ts';
import { serviceEntryStatus, serviceStatus, workloadEntryStatus } from '../status/waypoint-bound.ts';
import { serviceResource, workloadResource } from '../translate/address-resource.ts';
import type { AddressResource } from '../translate/address-resource.ts';
import { translateEndpointSlice } from '../translate/endpoint-slice.ts';
import type { MeshSettings } from '../translate/mesh-settings.ts';
import { translateNetworkGateway } from '../translate/network-gateway.ts';
import { translatePod } from '../translate/pod.ts';
import { translateAuthorizationPolicy } from '../translate/policies/authorization-policy.ts';
import { translatePeerAuthentication } from '../translate/policies/peer-authentication.ts';
import { translateWaypointPolicy } from '../translate/policies/waypoint-policy.ts';
import { translateServiceEntry } from '../translate/service-entry.ts';
import { translateService } from '../translate/service.ts';
import { translateWorkloadEntry } from '../translate/workload-entry.ts';
import type { Finding } from './finding.ts';
import type { MeshInForce } from './mesh-in-force.ts';

/** A name that several objects claim: a Service goes before a ServiceEntry. */
const priorityOfServices = 1;

const routeKinds = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute'] as const;

/** @param now RFC 3339, for conditions that change */
export function derivations(mesh: MeshInForce, now: () => string): Derivation<Finding>[] {
  const settings = (): MeshSettings => mesh.settings;
  return [
    mesh.derivation<Finding>(),
    perObject('namespaces', 'Namespace', ({ metadata, status }) => ({
      resources: [],
      conditions: takesTrust(metadata.name, status?.phase) ? [{ kind: 'trust' }] : [],
    })),
    perObject('authorization-policies', 'AuthorizationPolicy', (policy, lookup) => {
      const { name, authorization, problems, ztunnel } = translateAuthorizationPolicy(policy, settings());
      return {
        resources: authorization === undefined ? [] : [policyResource(name, authorization)],
        problems,
        conditions: statuses(
          ztunnelPolicyStatus(policy, ztunnel, now()),
          waypointPolicyStatus(policy, problems, lookup, settings(), now()),
        ),
      };
    }),
    perObject('peer-authentications', 'PeerAuthentication', (policy, lookup) => {
      const { policies, problems } = translatePeerAuthentication(policy, lookup, settings());
      return {
        resources: Array.from(policies, ([name, authorization]) => policyResource(name, authorization)),
        problems,
      };
    }),
    perObject('waypoint-policies', 'Gateway', (gateway, lookup) => {
      const policy = translateWaypointPolicy(gateway, lookup, settings());
      return { resources: policy === undefined ? [] : [policyResource(policy.name, policy.authorization)] };
    }),
    perObject('network-gateways', 'Gateway', (gateway) => ({
      resources: workloads(...translateNetworkGateway(gateway, settings())),
    })),
    perObject('pods', 'Pod', (pod, lookup) => {
      const { workload, problems } = translatePod(pod, lookup, settings());
      return { resources: workloads(workload), problems };
    }),
    perObject('workload-entries', 'WorkloadEntry', (entry, lookup) => {
      const { workload, waypoint, problems } = translateWorkloadEntry(entry, lookup, settings());
      const conditions = statuses(workloadEntryStatus(entry, waypoint, now()));
      return { resources: workloads(workload), problems, conditions };
    }),
    perObject('endpoint-slices', 'EndpointSlice', (slice, lookup) => {
      const translation = translateEndpointSlice(slice, lookup, settings());
      return { resources: workloads(...translation.workloads), problems: translation.problems };
    }),
    perObject('services', 'Service', (object, lookup) => {
      const { service, workloads: remote, waypoint, problems } = translateService(object, lookup, settings());
      const resources =
        service === undefined ? [] : [addressResource(serviceResource(service), priorityOfServices)];
      resources.push(...workloads(...remote));
      return { resources, problems, conditions: statuses(serviceStatus(object, waypoint, now())) };
    }),
    ...routeKinds.map((kind) =>
      perObject<typeof kind, Finding>(kindResources[kind].plural, kind, (route, lookup) => {
        const update = parentsUpdate(route, routeParents(route, lookup, settings()), now());
        return { resources: [], conditions: update === undefined ? [] : [{ kind: 'parents', update }] };
      }),
    ),
    perObject('service-entries', 'ServiceEntry', (entry, lookup) => {
      const found = translateServiceEntry(entry, lookup, settings());
      return {
        resources: [
          ...found.services.map((service) => addressResource(serviceResource(service))),
          ...workloads(...found.workloads),
        ],
        problems: found.problems,
        conditions: [
          ...statuses(serviceEntryStatus(entry, found, now())),
          { kind: 'addresses', resourceVersion: entry.metadata.resourceVersion ?? '' },
        ],
      };
    }),
  ];
}

function statuses(...applies: readonly (StatusApply | undefined)[]): Finding[] {
  return applies.flatMap((apply) => (apply === undefined ? [] : [{ kind: 'status', apply } as const]));
}

function policyResource(name: string, authorization: istio.security.IAuthorization): DerivedResource {
  return {
    table: typeUrl.authorization,
    name,
    bytes: istio.security.Authorization.encode(authorization).finish(),
  };
}

function workloads(...found: readonly (istio.workload.IWorkload | undefined)[]): DerivedResource[] {
  return found.flatMap((workload) =>
    workload === undefined ? [] : [addressResource(workloadResource(workload))],
  );
}

function addressResource(resource: AddressResource, priority = 0): DerivedResource {
  return { ...resource, table: typeUrl.address, priority };
}
