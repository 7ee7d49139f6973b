import type { LogLevel } from './levels.ts';

/** `plain` is Istio's text form, `json` one object a line. */
export type LogFormat = 'plain' | 'json';

/** A text that plain lines show without quotes: an address, a name without spaces. Made by {@link bare}. */
export class Bare {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Marks a text to be written without quotes in plain lines; JSON quotes it like any other. */
export function bare(text: string): Bare {
  return new Bare(text);
}

export type LogValue = string | number | bigint | boolean | Bare | undefined;

/** Fields of a line in the order in which they are to appear; undefined ones are left out. */
export type LogFields = Readonly<Record<string, LogValue>>;

let cachedSecond = Number.NaN;
let cachedPrefix = '';

/** ISO 8601 in UTC with microseconds, `2026-01-02T03:04:05.123456Z`. @param timeMs Unix time, may have a fraction */
export function formatTimestamp(timeMs: number): string {
  const micros = Math.floor(timeMs * 1000);
  const second = Math.floor(micros / 1_000_000);
  if (second !== cachedSecond) {
    cachedSecond = second;
    cachedPrefix = new Date(second * 1000).toISOString().slice(0, 19);
  }
  return `${cachedPrefix}.${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
}

// A peer's text may hold line breaks, tabs or terminal escapes; none of them may reach the log as they are.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const unsafeAll = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function escapeControl(text: string): string {
  return text.replace(unsafeAll, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** JSON quoting, also of the control characters that JSON itself lets through. */
function quote(text: string): string {
  const quoted = JSON.stringify(text);
  return unsafe.test(quoted) ? escapeControl(quoted) : quoted;
}

function plainValue(value: Exclude<LogValue, undefined>): string {
  if (typeof value === 'string') return quote(value);
  if (value instanceof Bare) return unsafe.test(value.text) ? quote(value.text) : value.text;
  return String(value);
}

function jsonValue(value: Exclude<LogValue, undefined>): string {
  if (typeof value === 'string') return quote(value);
  if (value instanceof Bare) return quote(value.text);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  return String(value);
}

/**
 * One log line, its line feed included. Pure, so that data workers format their own lines and post them in batches.
 *
 * Plain: `time TAB level TAB scope TAB message TAB k=v k="v"`, the last tab only with fields. JSON: level, time, scope,
 * message, then the fields under their own names.
 *
 * @param timeMs Unix time in milliseconds; a fraction shows as microseconds
 */
export function formatLine(
  format: LogFormat,
  level: LogLevel,
  scope: string,
  message: string,
  fields: LogFields | undefined,
  timeMs: number,
): string {
  const time = formatTimestamp(timeMs);
  if (format === 'json') {
    let line = `{"level":"${level}","time":"${time}","scope":${quote(scope)},"message":${quote(message)}`;
    if (fields !== undefined)
      for (const key in fields) {
        const value = fields[key];
        if (value !== undefined) line += `,${quote(key)}:${jsonValue(value)}`;
      }
    return `${line}}\n`;
  }
  let line = `${time}\t${level}\t${scope}\t${unsafe.test(message) ? escapeControl(message) : message}`;
  let separator = '\t';
  if (fields !== undefined)
    for (const key in fields) {
      const value = fields[key];
      if (value === undefined) continue;
      line += `${separator}${key}=${plainValue(value)}`;
      separator = ' ';
    }
  return `${line}\n`;
}

/** Something that was thrown and is no error. It can be anything, also what JSON cannot say. */
function describeValue(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch {
    return typeof value;
  }
}

/** The text of an error with its causes, outermost first, for the `error` field: `dial failed: ECONNREFUSED`. */
export function describeError(error: unknown): string {
  const texts: string[] = [];
  let current: unknown = error;
  // A cause can be cyclic by mistake; the log line must still end.
  for (let depth = 0; current !== undefined && current !== null && depth < 8; depth += 1) {
    if (!(current instanceof Error)) {
      texts.push(typeof current === 'string' ? current : describeValue(current));
      break;
    }
    const text = current.message === '' ? current.name : current.message;
    // Many errors repeat the text of their cause; once is enough.
    if (!texts.some((outer) => outer.includes(text))) texts.push(text);
    current = current.cause;
  }
  return texts.join(': ');
}
