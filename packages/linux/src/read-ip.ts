/** As `SocketAddress.ip`: canonical, an IPv4-mapped address as IPv4. */
export function readIp(body: Buffer, at: number, family: 4 | 6): string {
  const v4 = (offset: number): string => [...body.subarray(offset, offset + 4)].join('.');
  if (family === 4) return v4(at);
  if (body.readUInt32LE(at) === 0 && body.readUInt32LE(at + 4) === 0 && body.readUInt32BE(at + 8) === 0xffff)
    return v4(at + 12);
  return formatIpv6(body.subarray(at, at + 16));
}

/** RFC 5952: the longest run of zeros, the first of equals, is left out. */
function formatIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.at < 0) return text(groups);
  return `${text(groups.slice(0, best.at))}::${text(groups.slice(best.at + best.length))}`;
}
