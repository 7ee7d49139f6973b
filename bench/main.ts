/**
 * The benchmark: npm run bench. Measures how fast two proxies carry traffic between two pods, beside HAProxy; with
 * `control-plane` as first argument, what discovery and certificates take in clusters of many pods; with `node`, what
 * capture, DNS, fairness and upgrade take on one node.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './arguments.ts';
import { parseControlPlaneOptions, usage as controlPlaneUsage } from './control-plane/options.ts';
import { measures } from './measures/index.ts';
import { parseNodeOptions, usage as nodeUsage } from './node/options.ts';
import { parseOptions, usage } from './options.ts';
import type { Options } from './options.ts';
import { renderChart } from './report/chart.ts';
import { machineFacts } from './report/machine.ts';
import { startProgress } from './report/progress.ts';
import { resultsFolder } from './report/run-parts.ts';
import { renderTable } from './report/table.ts';
import { withCongestionControl } from './rig/congestion-control.ts';
import { direct } from './rig/direct.ts';
import { haproxy } from './rig/haproxy.ts';
import { hboneProxy } from './rig/hbone-proxy.ts';
import type { Column } from './rig/rig.ts';
import { runMeasures } from './run.ts';

const entry = fileURLToPath(new URL('../packages/ztunnel/src/main.ts', import.meta.url));

function allColumns(options: Options): Column[] {
  const own =
    options.ours === undefined
      ? [process.execPath, '--disable-warning=ExperimentalWarning', entry]
      : ['sh', '-c', `exec ${options.ours}`];
  const columns = [
    direct,
    haproxy,
    hboneProxy('ours', 'ztunnel of this tree, 2 data workers', own),
    ...options.peers.map(({ name, command }) => hboneProxy(name, command, ['sh', '-c', `exec ${command}`])),
  ];
  const { congestionControl } = options;
  return congestionControl === undefined
    ? columns
    : columns.map((column) => withCongestionControl(column, congestionControl));
}

/** Compiles our modules ahead, as an image has them: the first start after a change would also load the compiler. */
function compileOurs(): void {
  execFileSync(process.execPath, [entry, 'compile'], { stdio: 'inherit' });
}

async function main(options: Options): Promise<number> {
  if (options.ours === undefined) compileOurs();
  const columns = allColumns(options).filter(({ name }) => options.columns?.includes(name) ?? true);
  const chosen = measures.filter(
    (measure) => options.only?.includes(measure.name) ?? !(options.quick && measure.long === true),
  );
  const progress = startProgress();
  const facts = machineFacts();
  const machine = { ...facts, congestionControl: options.congestionControl ?? facts.congestionControl };
  const { rounds, seconds, warmSeconds, soakMinutes } = options;
  const effort = { seconds, warmSeconds, soakMinutes, progress };
  const results = await runMeasures(columns, chosen, rounds, effort);

  const names = columns.map(({ name }) => name);
  const output = options.output ?? resultsFolder;
  mkdirSync(output, { recursive: true });
  const record = {
    date: new Date().toISOString(),
    machine,
    effort: { rounds, seconds, warmSeconds, soakMinutes },
    columns: columns.map(({ name, description }) => ({ name, description })),
    ...results,
  };
  writeFileSync(join(output, 'latest.json'), `${JSON.stringify(record, undefined, 2)}\n`);
  const subtitle = `${machine.cpus} CPUs, Linux ${machine.kernel.split('-')[0]!}, Node ${machine.node}, HAProxy ${machine.haproxy.split('-')[0]!}`;
  writeFileSync(join(output, 'latest.svg'), renderChart(results.rows, names, subtitle));

  console.log(renderTable(results.rows, names));
  console.log('');
  for (const { name, description } of columns) console.log(`${name}: ${description}`);
  console.log(
    `${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, TCP ${machine.congestionControl}, Node ${machine.node}`,
  );
  for (const { column, measure, error } of results.failures)
    console.log(`not measured: ${measure} of ${column}: ${error}`);
  const missed = results.rows.some((row) => Object.values(row.cells).some(({ passed }) => passed === false));
  return missed || results.failures.length > 0 ? 1 : 0;
}

async function controlPlane(argv: readonly string[]): Promise<number> {
  const options = parseControlPlaneOptions(argv);
  // Loaded late: the other benchmark has no use for its packages.
  const { runControlPlaneBench } = await import('./control-plane/run.ts');
  return runControlPlaneBench(options);
}

async function node(argv: readonly string[]): Promise<number> {
  const options = parseNodeOptions(argv);
  const { runNodeBench } = await import('./node/run.ts');
  return runNodeBench(options);
}

/** By first argument; without one of these it is the traffic between two pods. */
const subjects: Readonly<
  Record<string, { readonly run: (argv: readonly string[]) => Promise<number>; readonly usage: string }>
> = {
  'control-plane': { run: controlPlane, usage: controlPlaneUsage },
  node: { run: node, usage: nodeUsage },
};

const [name = '', ...rest] = process.argv.slice(2);
const subject = subjects[name];
try {
  process.exitCode = await (subject?.run(rest) ?? main(parseOptions(process.argv.slice(2))));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${subject?.usage ?? usage}`);
  process.exitCode = 2;
}
