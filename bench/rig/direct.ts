import type { Column } from './rig.ts';

/** No proxy: what the machine and the load programs can do at most. */
export const direct: Column = {
  name: 'direct',
  description: 'no proxy: the limit of the machine and of the load programs',
  startHops: () => Promise.resolve(undefined),
};
