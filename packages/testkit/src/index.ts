// Public surface of @ambient/testkit.
export * from './lab.ts';
export { fuzzBudget } from './fuzz-budget.ts';
export type { FuzzBudget } from './fuzz-budget.ts';
export { damagedBytes, damagedText } from './mutation.ts';
export type { FakeMesh, FakeXdsOptions, FakeXdsRequest } from './fake-xds.ts';
export { FakeXds } from './fake-xds.ts';
export type { FakeCaBehaviour, FakeCaRequest, FakeCaServerOptions } from './fake-ca-server.ts';
export { FakeCaServer } from './fake-ca-server.ts';
