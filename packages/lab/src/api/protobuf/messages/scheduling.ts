/** How `k8s.io.api.scheduling.v1` is encoded, in the notation
 * of MessageTypes. Written by generate-messages.ts. */
export const schedulingMessages = `
PriorityClass: 1 metadata meta.ObjectMeta!; 2 value int32; 3 globalDefault bool?; 4 description string?;
  5 preemptionPolicy string
`;
