// For tests of whatever talks to a Kubernetes API.
export * from './fake-api.ts';
export * from './quiet-log.ts';
