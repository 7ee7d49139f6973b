import type { LabProcess } from '@ambient/testkit/lab';
import type { Rig } from '../rig/rig.ts';
import { PORTS } from '../rig/addresses.ts';

export interface BulkOptions {
  readonly streams: number;
  readonly seconds: number;
  /** True: the server sends. */
  readonly reverse?: boolean;
  /** Bits a second for each stream; default as fast as it goes. */
  readonly bitsPerSecond?: number;
}

export interface BulkResult {
  /** What arrived. */
  readonly gbitPerSecond: number;
  readonly bytes: number;
}

/** Runs iperf3 in the rig's client namespace to its end. */
export async function runIperf(rig: Rig, options: BulkOptions): Promise<BulkResult> {
  const { code, stdout, output } = await rig.client.run(
    [...command(rig, options), '--json', '--interval', '0'],
    {},
    (options.seconds + 30) * 1000,
  );
  if (code !== 0)
    throw new Error(`iperf3 through ${rig.column.name} gave ${code}:\n${output.slice(-5).join('\n')}`);
  return parseIperf(stdout);
}

/** Starts iperf3 as company for another measure, and resolves when its streams flow. */
export async function startIperf(rig: Rig, options: BulkOptions): Promise<LabProcess> {
  const bulk = await rig.client.spawn([...command(rig, options), '--interval', '1', '--forceflush']);
  await bulk.waitForLine(/^\[.*bits\/sec/, 15_000);
  return bulk;
}

/** Reads iperf3's JSON. Throws its own error message if it has one. */
export function parseIperf(json: string): BulkResult {
  const report = JSON.parse(json) as {
    error?: string;
    end?: { sum_received?: { bits_per_second: number; bytes: number } };
  };
  const received = report.end?.sum_received;
  if (report.error !== undefined || received === undefined)
    throw new Error(`iperf3 failed: ${report.error ?? 'no summary of received bytes'}`);
  return { gbitPerSecond: received.bits_per_second / 1e9, bytes: received.bytes };
}

function command(rig: Rig, options: BulkOptions): string[] {
  const argv = ['iperf3', '-c', rig.host, '-p', String(PORTS.iperf), '-t', String(options.seconds)];
  argv.push('-P', String(options.streams));
  if (options.reverse === true) argv.push('-R');
  if (options.bitsPerSecond !== undefined) argv.push('-b', String(options.bitsPerSecond));
  return argv;
}
