/** For tests of this package and of those above: servers, sinks and certificates. Not for product code. */
export { freeze } from './freeze.ts';
export { TestIdentities, type TestMaterial } from './identities.ts';
export { RecordingSink } from './recording-sink.ts';
export { TestServer, testReactor, type TestServerOptions } from './test-server.ts';
export { settle, turnUntil } from './turn-until.ts';
