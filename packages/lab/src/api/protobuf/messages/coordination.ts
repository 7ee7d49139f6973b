/** How `k8s.io.api.coordination.v1` is encoded, in the notation
 * of MessageTypes. Written by generate-messages.ts. */
export const coordinationMessages = `
Lease: 1 metadata meta.ObjectMeta!; 2 spec LeaseSpec!
LeaseSpec: 1 holderIdentity string; 2 leaseDurationSeconds int32; 3 acquireTime MicroTime; 4 renewTime MicroTime;
  5 leaseTransitions int32; 6 strategy string; 7 preferredHolder string
`;
