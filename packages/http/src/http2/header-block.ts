/**
 * The fields of a header section: name and value in turn, names in lower case, in the order of the wire. Strings are byte
 * strings, one character per byte (0..255).
 */
export type HeaderBlock = readonly string[];

/** The value of the first field called `name` (lower case), if there is one. */
export function headerValue(headers: HeaderBlock, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}
