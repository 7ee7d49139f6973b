// Public surface of @ambient/lab.
export type { LabApiOptions } from './api/lab-api.ts';
export { LabApi } from './api/lab-api.ts';
