import { duration, ValueError } from '@ambient/runtime';
import type { SettingType } from '@ambient/runtime';

const dayMs = 86_400_000;

/** Units of the Rust library by which Istio's ztunnel reads durations (duration_str); fractions are Go's. Capitals do not matter. */
const unitMs: Readonly<Record<string, number>> = {
  y: 365 * dayMs,
  year: 365 * dayMs,
  mon: 30 * dayMs,
  month: 30 * dayMs,
  w: 7 * dayMs,
  week: 7 * dayMs,
  d: dayMs,
  day: dayMs,
  h: 3_600_000,
  hr: 3_600_000,
  hour: 3_600_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  s: 1000,
  sec: 1000,
  second: 1000,
  ms: 1,
  msec: 1,
  millisecond: 1,
};

/** Nobody means a longer time; a product gets there by one factor too many. */
const longestMs = 100 * 365 * dayMs;

/**
 * A length of time in milliseconds as ztunnel's configuration has it: Go's form (`1h30m`), other names of units (`1 week`), a
 * bare number of seconds, and a sum or a product of those (`3m+31`, `1m*10`, where factors count in seconds).
 *
 * @param options `minMs`: what is shorter is refused
 */
export function ztunnelDuration(options: { readonly minMs?: number } = {}): SettingType<number> {
  const usual = duration({ ...options, bareSeconds: true });
  return {
    ...usual,
    parse(raw) {
      const ms = sumOrProduct(raw);
      if (ms === undefined) return usual.parse(raw);
      // Its bounds hold for every form.
      return usual.parse(`${ms}ms`);
    },
  };
}

/** undefined: in another form, if in any. @throws ValueError for a time that nobody can mean */
function sumOrProduct(raw: string): number | undefined {
  const product = raw.includes('*');
  const parts = raw.split(product ? '*' : '+').map(termMs);
  let total = product ? 1 : 0;
  for (const part of parts) {
    if (part === undefined) return undefined;
    if (product) total *= part / 1000;
    else total += part;
  }
  const ms = Math.round(product ? total * 1000 : total);
  if (ms > longestMs) throw new ValueError('a duration of at most a hundred years');
  return ms;
}

/** Whole numbers with their units, one after the other; a number alone counts seconds. */
function termMs(text: string): number | undefined {
  const term = text.trim();
  if (/^\d+$/.test(term)) return Number(term) * 1000;
  if (!/^(?:\d+\s*[a-z]+\s*)+$/i.test(term)) return undefined;
  let total = 0;
  for (const [, amount, unit = ''] of term.matchAll(/(\d+)\s*([a-z]+)/gi)) {
    // M could be meant for either; the library takes it for none.
    const each = unit === 'M' ? undefined : unitMs[unit.toLowerCase()];
    if (each === undefined) return undefined;
    total += Number(amount) * each;
  }
  return total;
}
