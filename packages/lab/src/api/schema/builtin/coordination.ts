import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.coordination.v1`, in the notation of {@link ApiTypes}. */
export const coordinationTypes = new ApiTypes(
  'io.k8s.api.coordination.v1',
  `
Lease: metadata meta.ObjectMeta; spec LeaseSpec
LeaseSpec: acquireTime MicroTime; holderIdentity string; leaseDurationSeconds int32; leaseTransitions int32;
  preferredHolder string; renewTime MicroTime; strategy string
`,
  { meta: metaTypes },
);
