/** How `k8s.io.api.autoscaling.v1` is encoded, in the notation
 * of MessageTypes. Written by generate-messages.ts. */
export const autoscalingV1Messages = `
Scale: 1 metadata meta.ObjectMeta; 2 spec ScaleSpec; 3 status ScaleStatus
ScaleSpec: 1 replicas int32?
ScaleStatus: 1 replicas int32; 2 selector string?
`;
