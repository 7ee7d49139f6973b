/** The part of the mesh's settings that policies are derived from; `MeshSettings` has it. */
export interface PolicySettings {
  /** Namespace whose policies bear on the whole mesh. */
  readonly rootNamespace: string;
  readonly trustDomain: string;
  /** Other names of the mesh's trust domain, from before it was renamed. */
  readonly trustDomainAliases?: readonly string[];
  /** AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY: dry-run policies go to ztunnel, which logs what they would do. */
  readonly dryRunPolicies?: boolean;
  /** PILOT_AUTO_ALLOW_WAYPOINT_POLICY: a workload behind a waypoint takes connections from that waypoint. */
  readonly autoAllowWaypoint?: boolean;
}
