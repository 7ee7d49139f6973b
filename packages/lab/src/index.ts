// Public surface of @ambient/lab.
export type { LabApiOptions } from './api/lab-api.ts';
export { LabApi } from './api/lab-api.ts';
export type { ApiObject, JsonObject, ObjectMeta } from './api/object.ts';
export { StreamingServer } from './node/streaming/index.ts';
export type { StreamingServerOptions } from './node/streaming/index.ts';
