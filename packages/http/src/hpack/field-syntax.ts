/** Why a field may not stand in a message (RFC 9113, section 8.2.1), found while its bytes are decoded. */
export const FieldFault = {
  none: 0,
  /** The name is empty, upper case, or holds a byte that is not of a token. */
  name: 1,
  /** The value holds NUL, CR or LF, or begins or ends with white space. */
  value: 2,
} as const;

const TAB = 9;
const SPACE = 32;
const COLON = 58;

/** 1 for the bytes of a lower-case token (RFC 9110, section 5.6.2). */
const nameBytes = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") nameBytes[c.charCodeAt(0)] = 1;

/** Whether `bytes[0..length)` may be a field name; a leading colon marks a pseudo field. */
export function isFieldName(bytes: Uint8Array, length: number): boolean {
  let i = length > 0 && bytes[0] === COLON ? 1 : 0;
  if (i === length) return false;
  for (; i < length; i++) if (nameBytes[bytes[i]!] === 0) return false;
  return true;
}

/** Whether `bytes[0..length)` may be a field value. */
export function isFieldValue(bytes: Uint8Array, length: number): boolean {
  if (length === 0) return true;
  const first = bytes[0]!;
  const last = bytes[length - 1]!;
  if (first === SPACE || first === TAB || last === SPACE || last === TAB) return false;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i]!;
    if (byte <= 13 && (byte === 0 || byte === 10 || byte === 13)) return false;
  }
  return true;
}
