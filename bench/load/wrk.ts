import type { Rig } from '../rig/rig.ts';
import { PORTS } from '../rig/addresses.ts';

export interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface WrkOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly path: string;
  /** A new TCP connection for each request. */
  readonly close?: boolean;
}

/** Runs wrk in the rig's client namespace against its HTTP server. Rejects if any request failed. */
export async function runWrk(rig: Rig, options: WrkOptions): Promise<WrkResult> {
  const argv = [
    'wrk',
    '-t1',
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    '--latency',
    '--timeout',
    '10s',
  ];
  if (options.close === true) argv.push('-H', 'Connection: close');
  argv.push(`http://${rig.host}:${PORTS.http}${options.path}`);
  const { code, stdout, output } = await rig.client.run(argv, {}, (options.seconds + 30) * 1000);
  if (code !== 0) throw new Error(`wrk through ${rig.column.name} gave ${code}:\n${output.join('\n')}`);
  return parseWrk(stdout);
}

/** Reads wrk's report. Throws if it names errors: a rate with failures in it is no rate. */
export function parseWrk(report: string): WrkResult {
  const failed = /^\s*(Socket errors:.*|Non-2xx.*)$/m.exec(report)?.[1];
  if (failed !== undefined) throw new Error(`wrk reports failures: ${failed}`);
  return {
    requests: Number(field(report, /(\d+) requests in/)),
    requestsPerSecond: Number(field(report, /Requests\/sec:\s+([\d.]+)/)),
    p50: microseconds(field(report, /^\s+50%\s+(\S+)$/m)),
    p99: microseconds(field(report, /^\s+99%\s+(\S+)$/m)),
  };
}

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000, m: 60_000_000 };

function microseconds(text: string): number {
  const [, value, unit] = /^([\d.]+)([a-z]+)$/.exec(text) ?? [];
  const factor = UNITS[unit ?? ''];
  if (factor === undefined) throw new Error(`wrk gave a time that is not understood: ${text}`);
  return Number(value) * factor;
}

function field(report: string, pattern: RegExp): string {
  const found = pattern.exec(report)?.[1];
  if (found === undefined) throw new Error(`wrk's report has no ${String(pattern)}:\n${report}`);
  return found;
}
