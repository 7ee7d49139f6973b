// Public surface of @ambient/mesh.
export * from './types.ts';
