import { atLeast, atMost } from '../measures/measure.ts';
import type { Row } from '../measures/measure.ts';
import type { NodeEffort, NodeMeasure } from './options.ts';

/** Kinds of storm that a pod's neighbour has to bear. */
export const storms = ['connections', 'handshakes', 'bytes'] as const;
export type Storm = (typeof storms)[number];

/** Pods whose runtime calls the plugin at the same moment, in the measure of many pods. */
export const BURST = 20;

/** Processes that calculate beside the plugin, in one of its measures. */
export const LOAD = 4;

const ms = { unit: 'ms', digits: 1 } as const;
const mb = { unit: 'MB', digits: 0 } as const;
const count = { unit: '', digits: 0 } as const;

/** A storm whose pods have a limit of CPU is ztunnel's to divide; one without is the kernel's too, whose part the direct one shows. */
function fairnessRows(): Row[] {
  const times = { unit: 'x', digits: 2 } as const;
  const percent = { unit: '%', digits: 0 } as const;
  return [
    { key: 'aloneP99', label: "a pod's request over a kept connection, alone, p99", unit: 'ms', digits: 2 },
    ...storms.flatMap((storm): Row[] => {
      const of = storm === 'bytes' ? { unit: 'MB/s', digits: 0 } : { unit: '/s', digits: 0 };
      const held = `a storm of ${storm} held to a CPU limit`;
      const free = `a storm of ${storm} without one`;
      return [
        { key: `${storm}-held`, label: `p99 beside ${held}, over alone`, ...times, ...atMost(1.5) },
        { key: `${storm}P50-held`, label: 'median', unit: 'ms', digits: 2 },
        { key: `${storm}Rate-held`, label: 'rate of this storm', ...of },
        { key: `${storm}Cpu-held`, label: 'CPU of ztunnel meanwhile', ...percent },
        { key: `${storm}-free`, label: `p99 beside ${free}, over alone`, ...times },
        { key: `${storm}Rate-free`, label: 'rate of this storm', ...of },
        { key: `${storm}Cpu-free`, label: 'CPU of ztunnel meanwhile', ...percent },
        ...(storm === 'handshakes'
          ? []
          : [
              { key: `${storm}-direct`, label: `p99 beside ${free}, past ztunnel`, ...times },
              { key: `${storm}Rate-direct`, label: 'rate of this storm', ...of },
            ]),
      ];
    }),
  ];
}

function scaleRows(pods: number): Row[] {
  const s = { unit: 's', digits: 2 } as const;
  const percent = { unit: '%', digits: 2 } as const;
  return [
    { key: 'addMany', label: `label to captured, ${pods} running pods`, ...s },
    { key: 'captureAgentCpu', label: 'processor time of the agent for each of them', ...ms },
    { key: 'captureToolsCpu', label: 'of the tools that it runs', ...ms },
    { key: 'captureZtunnelCpu', label: 'of ztunnel', ...ms },
    ...(['agent', 'ztunnel'] as const).flatMap((name): Row[] => {
      const of = name === 'agent' ? 'the agent' : 'ztunnel';
      return [
        { key: `${name}Memory`, label: `memory of ${of} with ${pods} pods`, ...mb },
        { key: `${name}Descriptors`, label: `descriptors of ${of}`, ...count },
        { key: `${name}Sockets`, label: 'of them sockets', ...count },
        { key: `${name}Threads`, label: `threads of ${of}`, ...count },
        { key: `${name}Idle`, label: `CPU of ${of} when nothing happens`, ...percent, ...atMost(1) },
      ];
    }),
    { key: 'agentAgain', label: `another agent: from its start until ${pods} pods are proven`, ...s },
    { key: 'agentAgainCpu', label: 'its processor time meanwhile', ...s },
    { key: 'touched', label: 'pods whose rules it has set', ...count, ...atMost(0) },
    { key: 'ztunnelAgain', label: `another ztunnel: from its start until it serves ${pods} pods`, ...s },
    { key: 'ztunnelAgainCpu', label: 'its processor time meanwhile', ...s },
    { key: 'exchange', label: 'a tenth of the pods ends, as many start: until all are proven', ...s },
    { key: 'burstP50', label: `ADD of ${BURST} pods at once, median`, ...ms },
    { key: 'burstMax', label: 'the last of them', ...ms },
    { key: 'burstAgain', label: 'calls that were refused, and made again', ...count },
    { key: 'releaseMany', label: 'label removed to released, all pods', ...s },
    { key: 'addMeanwhile', label: 'ADD of a pod while all others are captured', ...ms },
  ];
}

/** What a measure tells, and what it has to reach. */
export function rowsOf(measure: NodeMeasure, effort: NodeEffort): readonly Row[] {
  const { runningPods, manyPods, upgrades, longConnections } = effort;
  switch (measure) {
    case 'capture':
      return [
        {
          key: 'captureAll',
          label: `label to captured, ${runningPods} running pods`,
          unit: 's',
          digits: 2,
          ...atMost(5),
        },
        { key: 'releaseAll', label: 'label removed to released, the same pods', unit: 's', digits: 2 },
      ];
    case 'plugin':
      return [
        { key: 'addP50', label: 'ADD of the plugin, as the runtime sees it, median', ...ms },
        { key: 'addP99', label: 'the same, p99', ...ms },
        {
          key: 'ownP50',
          label: "the plugin's own time: ADD with an agent that answers at once, median",
          ...ms,
          ...atMost(60),
        },
        { key: 'ownCpu', label: 'the same, processor time, mean', ...ms },
        { key: 'bareP50', label: 'of own time, start and end: VERSION, median', ...ms },
        { key: 'askP50', label: 'of own time, asking the agent: median of the differences', ...ms },
        {
          key: 'readsP50',
          label:
            "ADD beside an agent like Istio's: it asks the API server first, whose answers count, median",
          ...ms,
        },
        { key: 'readsCpu', label: 'the same, processor time of the plugin, mean', ...ms },
        { key: 'coldP50', label: 'own time, the executable not in the page cache, median', ...ms },
        { key: 'loadedP50', label: `own time beside ${LOAD} processes that calculate, median`, ...ms },
      ];
    case 'scale':
      return scaleRows(manyPods);
    case 'dns':
      return [
        {
          key: 'dnsMesh',
          label: 'DNS from the mesh, of one core',
          unit: '/s',
          digits: 0,
          ...atLeast(10_000),
        },
        {
          key: 'dnsSearch',
          label: 'DNS from the mesh by search domain',
          unit: '/s',
          digits: 0,
          ...atLeast(10_000),
        },
        {
          key: 'dnsForwarded',
          label: 'DNS forwarded, of one core',
          unit: '/s',
          digits: 0,
          ...atLeast(10_000),
        },
        { key: 'dnsMeshP99', label: 'DNS from the mesh, p99 at full load', ...ms },
      ];
    case 'fairness':
      return fairnessRows();
    case 'upgrade':
      return [
        {
          key: 'failed',
          label: `requests that failed in ${upgrades} upgrades under load`,
          ...count,
          ...atMost(0),
        },
        {
          key: 'resets',
          label: `resets of ${longConnections} connections a time that end within the grace`,
          ...count,
          ...atMost(0),
        },
        { key: 'answered', label: 'requests that were answered meanwhile', ...count },
        { key: 'takeOver', label: 'new ztunnel: from start until ready, median', unit: 's', digits: 2 },
      ];
  }
}
