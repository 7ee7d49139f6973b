import type { Identity } from '@ambient/identity';

/** The pod that a token is bound to, as the API server said. */
export interface BoundPod {
  readonly name: string;
  readonly uid: string;
}

/** Who calls, after the proof was checked. */
export interface Caller {
  readonly identity: Identity;
  /** What proved it. */
  readonly proof: 'token' | 'certificate';
  /** Header `clusterid` as sent, '' if absent. */
  readonly clusterId: string;
  /** Absent for certificates and for tokens that are bound to no pod. */
  readonly pod?: BoundPod | undefined;
  /** The node that the token names; API servers before 1.30 do not tell. */
  readonly nodeName?: string | undefined;
}
