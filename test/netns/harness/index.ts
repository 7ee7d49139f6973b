// What a test in network namespaces starts from.
export { TestMesh } from './test-mesh.ts';
export type { MeshSpec, PodSpec } from './test-mesh.ts';
export type { ExchangeAnswer, HttpAnswer, Pod, TransferAnswer } from './pod.ts';
export { logEntries, matches } from './access-log.ts';
export type { LogEntry, LogMatch } from './access-log.ts';
export { renderLocalMesh } from './local-mesh.ts';
export type {
  LocalMatch,
  LocalMesh,
  LocalPolicy,
  LocalService,
  LocalWorkload,
  TextMatch,
} from './local-mesh.ts';
