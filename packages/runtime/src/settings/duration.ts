const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Go counts nanoseconds in 64 bits: some 292 years. */
const longestMs = 9_223_372_036_854;

/**
 * Reads a duration as Go's `time.ParseDuration` writes it (`1h30m`, `1.5s`, `250ms`, `0`), plus `d` for days.
 *
 * @returns milliseconds to the nanosecond, not negative; undefined for anything else, a bare number other than 0 and more
 *   than Go's 292 years included
 */
export function parseDuration(raw: string): number | undefined {
  if (raw === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/.test(raw)) return undefined;
  let total = 0;
  for (const [, amount, unit] of raw.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g))
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return total <= longestMs ? Math.round(total * 1e6) / 1e6 : undefined;
}

/** Writes milliseconds in the shortest Go form: 300000 becomes `5m`, 5400000 `1h30m`, 1500 `1.5s`, 250 `250ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ''}${minutes > 0 ? `${minutes}m` : ''}${seconds > 0 ? `${decimal(seconds)}s` : ''}`;
}

/** Never with an exponent, which nobody reads as a duration. */
function decimal(seconds: number): string {
  return seconds.toFixed(9).replace(/\.?0+$/, '');
}
