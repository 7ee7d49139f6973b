/** One entry of an HPACK table, immutable and shared: a header that repeats costs no decoding. */
export class Field {
  readonly name: string;
  readonly value: string;
  /** What RFC 7541, section 4.1 counts: both lengths in bytes plus 32. */
  readonly size: number;
  /** Why the field may not stand in a message, `FieldFault.none` for a good one. Found once, when it is decoded. */
  readonly fault: number;

  constructor(name: string, value: string, fault: number) {
    this.name = name;
    this.value = value;
    this.size = name.length + value.length + FIELD_OVERHEAD;
    this.fault = fault;
  }
}

/** Bytes that a table entry counts beyond its strings (RFC 7541, section 4.1). */
export const FIELD_OVERHEAD = 32;

// RFC 7541, appendix A, as name and value in turn.
const FIELDS = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
] as const;

/** The static table; index 1 of RFC 7541 is at 0. */
export const STATIC_FIELDS: readonly Field[] = FIELDS.map(([name, value]) => new Field(name, value, 0));

/** Number of the first dynamic entry. */
export const FIRST_DYNAMIC_INDEX = STATIC_FIELDS.length + 1;

/** Where a name stands in the static table. */
export interface StaticName {
  /** Lowest index with this name. */
  readonly index: number;
  /** Index by value. */
  readonly values: ReadonlyMap<string, number>;
}

/** The static table by name. */
export const STATIC_NAMES: ReadonlyMap<string, StaticName> = staticNames();

function staticNames(): Map<string, StaticName> {
  const names = new Map<string, { index: number; values: Map<string, number> }>();
  for (const [position, field] of STATIC_FIELDS.entries()) {
    const index = position + 1;
    let entry = names.get(field.name);
    if (entry === undefined) names.set(field.name, (entry = { index, values: new Map() }));
    // An empty value in the table means "name only", but a field with an empty value is that very entry.
    entry.values.set(field.value, index);
  }
  return names;
}
