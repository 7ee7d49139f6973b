// Public surface of @ambient/lab.
export type { LabApiOptions } from './api/lab-api.ts';
export { LabApi } from './api/lab-api.ts';
export type { ApiObject, JsonObject, ObjectMeta } from './api/object.ts';
export type { SubresourceHandler } from './api/server/subresources.ts';
export type { ResourceRequest } from './api/server/resource-request.ts';
export { StreamingServer } from './node/streaming/index.ts';
export type { StreamingServerOptions } from './node/streaming/index.ts';
