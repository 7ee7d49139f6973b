import { canonicalIp } from '@ambient/mesh';
import type { SocketAddress } from '@ambient/linux';

const DNS_PORT = 53;
/** As in the C library: MAXNS of resolv.conf(5). */
const MAX_SERVERS = 3;

/** What resolv.conf(5) says that matters to a proxy. */
export interface ResolvConf {
  /** In the order of preference. Without any, the local machine's as resolv.conf(5) has it. */
  readonly servers: readonly SocketAddress[];
  /** Lower case, without the last dot. */
  readonly searchDomains: readonly string[];
  /** Lines that were passed over, for the log. */
  readonly problems: readonly string[];
}

/** Reads resolv.conf(5). What cannot be understood is named in `problems`, and the rest holds. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: SocketAddress[] = [];
  const problems: string[] = [];
  let searchDomains: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver') {
      const ip = canonicalIp(values[0] ?? '');
      if (ip === undefined)
        problems.push(`line ${index + 1}: '${values[0] ?? ''}' is no IP address without a zone`);
      else if (servers.length === MAX_SERVERS)
        problems.push(`line ${index + 1}: only ${MAX_SERVERS} nameservers are used`);
      else servers.push({ ip, port: DNS_PORT });
    } else if (keyword === 'search' || keyword === 'domain') {
      searchDomains = values.map((domain) => domain.toLowerCase().replace(/\.$/, '')).filter(Boolean);
    }
  }
  if (servers.length === 0) servers.push({ ip: '127.0.0.1', port: DNS_PORT });
  return { servers, searchDomains, problems };
}
