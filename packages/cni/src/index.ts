// Public surface of @ambient/cni: the node agent's parts.
export { ZdsError } from './zds/errors.ts';
export type { ZdsErrorCode } from './zds/errors.ts';
export { ZdsServer } from './zds/server.ts';
export type { ZdsPod, ZdsServerOptions } from './zds/server.ts';
