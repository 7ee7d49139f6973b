import { bulk } from './bulk.ts';
import { connections } from './connections.ts';
import { cpu } from './cpu.ts';
import { latency } from './latency.ts';
import type { Measure } from './measure.ts';
import { memory } from './memory.ts';
import { mixed } from './mixed.ts';
import { requests } from './requests.ts';
import { soak } from './soak.ts';

/** In the order of the table. */
export const measures: readonly Measure[] = [bulk, requests, latency, connections, cpu, memory, mixed, soak];
