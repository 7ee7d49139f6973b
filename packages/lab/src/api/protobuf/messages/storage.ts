/** How `k8s.io.api.storage.v1` is encoded, in the notation
 * of MessageTypes. Written by generate-messages.ts. */
export const storageMessages = `
StorageClass: 1 metadata meta.ObjectMeta!; 2 provisioner string; 3 parameters {string}; 4 reclaimPolicy string;
  5 mountOptions [string]; 6 allowVolumeExpansion bool; 7 volumeBindingMode string;
  8 allowedTopologies [core.TopologySelectorTerm]
`;
