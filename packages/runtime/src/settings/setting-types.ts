import { formatDuration, parseDuration } from './duration.ts';

/**
 * How one kind of value is written in the environment. `parse` throws a {@link ValueError} whose text completes the
 * sentence "expected ...".
 */
export interface SettingType<T> {
  /** Word for the documentation table, for example `duration`. */
  readonly name: string;
  parse(raw: string): T;
  /** The value as an operator would write it; the inverse of `parse`. */
  render(value: T): string;
  /** True when the empty text is a value of its own; otherwise an empty variable counts as unset. */
  readonly acceptsEmpty?: boolean;
}

/** A text that is not of the expected kind; `message` says what is expected. */
export class ValueError extends Error {
  readonly code = 'SETTING_VALUE';
  constructor(expected: string, options?: ErrorOptions) {
    super(expected, options);
    this.name = 'ValueError';
  }
}

export const text: SettingType<string> = {
  name: 'text',
  parse: (raw) => raw,
  render: (value) => value,
  acceptsEmpty: true,
};

/** `true`, `false`, `1`, `0` in any case, the common ground of Go's and Rust's parsers. */
export const bool: SettingType<boolean> = {
  name: 'bool',
  parse(raw) {
    const word = raw.trim().toLowerCase();
    if (word === 'true' || word === '1') return true;
    if (word === 'false' || word === '0') return false;
    throw new ValueError('`true`, `false`, `1` or `0`');
  },
  render: (value) => String(value),
};

/** A whole number in decimal or, with `0x`, hexadecimal notation. */
export function int(
  range: { readonly min?: number; readonly max?: number; readonly hex?: boolean } = {},
): SettingType<number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, hex = false } = range;
  const bounds =
    range.min !== undefined && range.max !== undefined
      ? ` from ${range.min} to ${range.max}`
      : range.min !== undefined
        ? ` of at least ${range.min}`
        : range.max !== undefined
          ? ` of at most ${range.max}`
          : '';
  const pattern = hex ? /^([+-]?\d+|0x[0-9a-f]+)$/i : /^[+-]?\d+$/;
  return {
    name: 'int',
    parse(raw) {
      const trimmed = raw.trim();
      const value = pattern.test(trimmed) ? Number(trimmed) : Number.NaN;
      if (!Number.isSafeInteger(value) || value < min || value > max)
        throw new ValueError(`a whole number${bounds}`);
      return value;
    },
    render: (value) => String(value),
  };
}

/** A TCP or UDP port, 1 to 65535. */
export const port: SettingType<number> = { ...int({ min: 1, max: 65535 }), name: 'port' };

/**
 * A length of time in milliseconds, written in Go's form (`250ms`, `10s`, `1h30m`).
 *
 * A bare number is refused, because seconds and milliseconds are too easily confused, unless `bareSeconds` says that
 * the setting has always read one as seconds.
 */
export function duration(
  options: { readonly bareSeconds?: boolean; readonly minMs?: number } = {},
): SettingType<number> {
  return {
    name: 'duration',
    parse(raw) {
      const value = raw.trim();
      const bare = /^\d+(\.\d+)?$/.test(value) && Number(value) !== 0;
      if (bare && options.bareSeconds !== true)
        throw new ValueError(
          `a duration with its unit such as 250ms, 10s, 5m or 1h30m (if seconds were meant: ${value}s)`,
        );
      const ms = parseDuration(bare ? `${value}s` : value);
      if (ms === undefined) throw new ValueError('a duration with its unit such as 250ms, 10s, 5m or 1h30m');
      if (ms < (options.minMs ?? 0))
        throw new ValueError(`a duration of at least ${formatDuration(options.minMs ?? 0)}`);
      return ms;
    },
    render: formatDuration,
  };
}

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** A number of bytes: plain (`1048576`) or with a Kubernetes suffix (`4Mi`, `64Ki`, `1M`). */
export function bytes(range: { readonly min?: number; readonly max?: number } = {}): SettingType<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  return {
    name: 'bytes',
    parse(raw) {
      const match = /^(\d+)(|k|M|G|Ki|Mi|Gi)$/.exec(raw.trim());
      const value = match === null ? Number.NaN : Number(match[1]) * (byteUnits[match[2] ?? ''] ?? 1);
      if (!Number.isSafeInteger(value) || value < min || value > max)
        throw new ValueError(
          `a number of bytes from ${min} to ${max}, plain or with a suffix such as 64Ki or 4Mi`,
        );
      return value;
    },
    render: (value) => String(value),
  };
}

/** One of a fixed set of words, matched exactly. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  ...words: Words
): SettingType<Words[number]> {
  return {
    name: words.map((word) => `\`${word}\``).join(' or '),
    parse(raw) {
      const word = raw.trim();
      const found = words.find((candidate) => candidate === word);
      if (found === undefined) throw new ValueError(`one of ${words.join(', ')}`);
      return found;
    },
    render: (value) => value,
  };
}

/** Words separated by commas; blanks around them, and commas without a word between them, do not count. */
export const list: SettingType<readonly string[]> = {
  name: 'list separated by commas',
  parse: (raw) =>
    raw
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  render: (items) => items.join(','),
};

/** A type whose setting may be absent: its default is `undefined`. */
export function optional<T>(type: SettingType<T>): SettingType<T | undefined> {
  return { ...type, render: (value) => (value === undefined ? '' : type.render(value)) };
}

/**
 * A type made from another by a further reading of its text.
 *
 * @param parse throws {@link ValueError} for a text that does not fit
 */
export function custom<T>(
  name: string,
  parse: (raw: string) => T,
  render: (value: T) => string,
): SettingType<T> {
  return { name, parse, render };
}
