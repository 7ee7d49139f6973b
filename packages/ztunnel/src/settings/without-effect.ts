/** A setting of Istio's ztunnel that asks for what is not done here, and why it is not. */
export interface WithoutEffect {
  /** As the environment has it. */
  readonly setting: string;
  /** Ends with what to do instead. */
  readonly reason: string;
}

/** What is to be warned of: a configuration that is taken over must not lose a part of it unnoticed. */
export function settingsWithoutEffect(asked: {
  readonly inpodPortReuse: boolean;
  readonly transparentNetworkPolicies: boolean;
}): readonly WithoutEffect[] {
  const found: WithoutEffect[] = [];
  if (!asked.inpodPortReuse)
    found.push({
      setting: 'INPOD_PORT_REUSE=false',
      reason: 'data workers share the ports of a pod, and another ztunnel may too, to take over; unset it',
    });
  if (asked.transparentNetworkPolicies)
    found.push({
      setting: 'TRANSPARENT_NETWORK_POLICIES=true',
      reason: 'HBONE goes to port 15008; have NetworkPolicies admit that port',
    });
  return found;
}
