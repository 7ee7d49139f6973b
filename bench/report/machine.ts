import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** What a figure depends on besides the code. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryGb: number;
  readonly kernel: string;
  /** Of TCP, where nothing else is asked for. */
  readonly congestionControl: string;
  readonly node: string;
  /** The one inside Node, which our data path uses. */
  readonly openssl: string;
  readonly haproxy: string;
  readonly nginx: string;
  readonly iperf3: string;
  readonly wrk: string;
}

export function machineFacts(): MachineFacts {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    congestionControl: readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'latin1').trim(),
    node: process.versions.node,
    openssl: process.versions.openssl ?? 'unknown',
    haproxy: version('haproxy', '-v'),
    nginx: version('nginx', '-v'),
    iperf3: version('iperf3', '--version'),
    wrk: version('wrk', '-v'),
  };
}

/** First number with points in what the program says of itself; nginx says it on standard error, wrk with a failure. */
function version(program: string, option: string): string {
  try {
    const output = execFileSync('sh', ['-c', `${program} ${option} 2>&1 || true`], { encoding: 'utf8' });
    return /\d+(\.\d+)+[\w.+~-]*/.exec(output)?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
