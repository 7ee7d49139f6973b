// What the kubelet stand-in uses of this folder.
export { StreamingServer } from './streaming-server.ts';
export type { StreamingServerOptions } from './streaming-server.ts';
