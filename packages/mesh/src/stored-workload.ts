import type { Locality, Workload } from './types.ts';

/** What is a pod's own. All else its siblings have too. */
type OwnField = 'uid' | 'name' | 'addresses' | 'node' | 'locality';

/** What the pods of one Deployment have in common. */
export type WorkloadFamily = Omit<Workload, OwnField>;

/** Every field of a family, in one fixed order. */
export const familyFields = [
  'namespace',
  'hostname',
  'network',
  'tunnelProtocol',
  'trustDomain',
  'serviceAccount',
  'waypoint',
  'networkGateway',
  'canonicalName',
  'canonicalRevision',
  'workloadType',
  'workloadName',
  'nativeTunnel',
  'applicationTunnel',
  'services',
  'authorizationPolicies',
  'status',
  'clusterId',
  'networkMode',
  'capacity',
] as const satisfies readonly (keyof WorkloadFamily)[];

/**
 * A workload as stores keep it: six words and its own text, with the twenty fields that it has in common with its siblings in
 * one object for all of them. In a mesh of 50,000 pods that is 150 bytes a pod less, in each thread.
 */
export class StoredWorkload implements Workload {
  readonly uid: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly node: string;
  readonly locality: Locality;
  readonly family: WorkloadFamily;

  constructor(own: Pick<Workload, OwnField>, family: WorkloadFamily) {
    this.uid = own.uid;
    this.name = own.name;
    this.addresses = own.addresses;
    this.node = own.node;
    this.locality = own.locality;
    this.family = family;
  }

  get namespace() {
    return this.family.namespace;
  }
  get hostname() {
    return this.family.hostname;
  }
  get network() {
    return this.family.network;
  }
  get tunnelProtocol() {
    return this.family.tunnelProtocol;
  }
  get trustDomain() {
    return this.family.trustDomain;
  }
  get serviceAccount() {
    return this.family.serviceAccount;
  }
  get waypoint() {
    return this.family.waypoint;
  }
  get networkGateway() {
    return this.family.networkGateway;
  }
  get canonicalName() {
    return this.family.canonicalName;
  }
  get canonicalRevision() {
    return this.family.canonicalRevision;
  }
  get workloadType() {
    return this.family.workloadType;
  }
  get workloadName() {
    return this.family.workloadName;
  }
  get nativeTunnel() {
    return this.family.nativeTunnel;
  }
  get applicationTunnel() {
    return this.family.applicationTunnel;
  }
  get services() {
    return this.family.services;
  }
  get authorizationPolicies() {
    return this.family.authorizationPolicies;
  }
  get status() {
    return this.family.status;
  }
  get clusterId() {
    return this.family.clusterId;
  }
  get networkMode() {
    return this.family.networkMode;
  }
  get capacity() {
    return this.family.capacity;
  }
}

/** The same workload as a plain object, to be spread, compared or written out. */
export function plainWorkload(workload: Workload): Workload {
  const { uid, name, addresses, node, locality } = workload;
  return { ...familyOf(workload), uid, name, addresses, node, locality };
}

/** The common fields as a plain object of their own. */
export function familyOf(workload: Workload): WorkloadFamily {
  return {
    namespace: workload.namespace,
    hostname: workload.hostname,
    network: workload.network,
    tunnelProtocol: workload.tunnelProtocol,
    trustDomain: workload.trustDomain,
    serviceAccount: workload.serviceAccount,
    waypoint: workload.waypoint,
    networkGateway: workload.networkGateway,
    canonicalName: workload.canonicalName,
    canonicalRevision: workload.canonicalRevision,
    workloadType: workload.workloadType,
    workloadName: workload.workloadName,
    nativeTunnel: workload.nativeTunnel,
    applicationTunnel: workload.applicationTunnel,
    services: workload.services,
    authorizationPolicies: workload.authorizationPolicies,
    status: workload.status,
    clusterId: workload.clusterId,
    networkMode: workload.networkMode,
    capacity: workload.capacity,
  };
}
