import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.authentication.v1`, in the notation of {@link ApiTypes}. */
export const authenticationTypes = new ApiTypes(
  'io.k8s.api.authentication.v1',
  `
TokenReview: metadata meta.ObjectMeta; spec! TokenReviewSpec; status TokenReviewStatus
TokenReviewSpec: audiences [string] atomic; token! string
TokenReviewStatus: audiences [string] atomic; authenticated boolean; error string; user UserInfo
UserInfo: extra {[string]}; groups [string] atomic; uid string; username string
TokenRequest: metadata meta.ObjectMeta; spec TokenRequestSpec; status TokenRequestStatus
TokenRequestSpec: audiences [string] atomic; boundObjectRef BoundObjectReference;
  expirationSeconds int64 = 3600
BoundObjectReference: apiVersion string; kind string; name string; uid string
TokenRequestStatus: expirationTimestamp Time; token string
SelfSubjectReview: metadata meta.ObjectMeta; status SelfSubjectReviewStatus
SelfSubjectReviewStatus: userInfo UserInfo
`,
  { meta: metaTypes },
);
