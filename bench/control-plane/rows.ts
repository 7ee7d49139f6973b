import { atLeast, atMost } from '../measures/measure.ts';
import type { Row } from '../measures/measure.ts';

/** Clients that a size is measured with, besides the first. */
export const clients = 200;
/** The size that most targets are for. */
const medium = 10_000;
const large = 50_000;

const start = (target: Pick<Row, 'target'>): Row[] => [
  { key: 'firstPush', label: 'first full push to one client, from start', unit: 's', digits: 2, ...target },
  { key: 'firstPushCpu', label: 'CPU of the control plane until then', unit: 's', digits: 2 },
  { key: 'startMemory', label: 'memory then', unit: 'MB', digits: 0 },
];

const serving: Row[] = [
  {
    key: 'allClients',
    label: `full push to ${clients} clients that come together`,
    unit: 's',
    digits: 2,
  },
  {
    key: 'changeP99',
    label: `change of one pod until ${clients} clients have it, p99`,
    unit: 'ms',
    digits: 0,
    ...atMost(250),
  },
  { key: 'changeP50', label: 'the same, median', unit: 'ms', digits: 0 },
  {
    key: 'sustainedRate',
    label: '100 changes a second: changes that came to all',
    unit: '/s',
    digits: 1,
    ...atLeast(99),
  },
  {
    key: 'backlogGrowth',
    label: 'growth of the backlog, last third over first',
    unit: 'changes',
    digits: 1,
    ...atMost(10),
  },
  { key: 'sustainedP99', label: 'change until all clients have it meanwhile, p99', unit: 'ms', digits: 0 },
  { key: 'sustainedCpu', label: 'CPU of the control plane meanwhile', unit: '%', digits: 1 },
  {
    key: 'peakMemory',
    label: `peak memory with ${clients} clients, changes and all`,
    unit: 'MB',
    digits: 0,
    ...atMost(1200),
  },
  { key: 'idleCpu', label: 'CPU when nothing happens', unit: '%', digits: 2, ...atMost(1) },
  {
    key: 'certificates',
    label: 'certificates a second of one core, over TLS',
    unit: '/s',
    digits: 0,
    ...atLeast(1000),
  },
  { key: 'certificatesRate', label: 'certificates a second of the wall clock', unit: '/s', digits: 0 },
];

const proxy: Row[] = [
  {
    key: 'proxyMemory',
    label: 'ztunnel: memory of the mesh, 2 workers and main thread',
    unit: 'MB',
    digits: 0,
    ...atMost(150),
  },
  {
    key: 'proxySeconds',
    label: 'ztunnel: start until all workers have the mesh, over an empty mesh',
    unit: 's',
    digits: 2,
    ...atMost(2),
  },
  { key: 'proxyCpu', label: 'ztunnel: CPU for that', unit: 's', digits: 2 },
];

/** What is measured at a size, and what it has to reach. */
export function rowsOf(pods: number): readonly Row[] {
  if (pods === medium) return [...start(atMost(3)), ...serving];
  if (pods === large) return [...start(atMost(10)), ...proxy];
  return start({});
}
