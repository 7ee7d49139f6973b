import { ApiTypes } from '../api-types.ts';
import { coreTypes } from './core.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.storage.v1`, in the notation of {@link ApiTypes}. */
export const storageTypes = new ApiTypes(
  'io.k8s.api.storage.v1',
  `
StorageClass: allowVolumeExpansion boolean; allowedTopologies [core.TopologySelectorTerm] atomic;
  metadata meta.ObjectMeta; mountOptions [string] atomic; parameters {string}; provisioner! string;
  reclaimPolicy string = "Delete"; volumeBindingMode string = "Immediate"
`,
  { core: coreTypes, meta: metaTypes },
);
