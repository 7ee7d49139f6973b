/** One line of a dump, in parts, so that its reader may colour them. */
export interface HexLine {
  readonly offset: string;
  readonly hex: string;
  readonly text: string;
}

/** At most `lines` lines of `perLine` bytes, from the line on that holds the byte at `from`. */
export function hexDump(
  bytes: Buffer,
  options: { from?: number; lines: number; perLine: number },
): HexLine[] {
  const { from = 0, lines, perLine } = options;
  const first = from - (from % perLine);
  const dump: HexLine[] = [];
  for (let at = first; at < bytes.length && dump.length < lines; at += perLine) {
    const chunk = bytes.subarray(at, at + perLine);
    dump.push({
      offset: at.toString(16).padStart(4, '0'),
      hex: (chunk.toString('hex').match(/../g) ?? []).join(' ').padEnd(perLine * 3 - 1),
      text: chunk.toString('latin1').replace(/[^ -~]/g, '.'),
    });
  }
  return dump;
}
