// The text of the node's table, as nft reads it. Pure.
import type { Family } from '../addresses.ts';
import { formatPrefix, parsePrefix } from '../addresses.ts';
import type { ServiceRules } from './node-rules.ts';

const proxyTable = 'lab-services';
/** The bit that says: answers have to come back by this node. As kube-proxy's, so that others leave it alone. */
export const masqueradeMark = '0x4000';
/** A Service whose traffic stays on the node, which has no endpoint. */
export const dropOnNode = 'drop';

const families: readonly Family[] = ['v4', 'v6'];

export function ipOf(family: Family): 'ip' | 'ip6' {
  return family === 'v4' ? 'ip' : 'ip6';
}

const addressTypes: Readonly<Record<Family, string>> = { v4: 'ipv4_addr', v6: 'ipv6_addr' };
const loopbacks: Readonly<Record<Family, string>> = { v4: '127.0.0.0/8', v6: '::1' };

/**
 * The table without any Service, in place of whatever is there. What a packet passes is the same for any number of Services:
 * one look into a map for its destination.
 *
 * @param podPrefixes what is inside the cluster
 */
export function renderTable(podPrefixes: readonly string[]): string {
  const pods = (family: Family): string => {
    const own = podPrefixes.map(parsePrefix).filter((prefix) => prefix.family === family);
    return own.length === 0 ? '' : ` elements = { ${own.map(formatPrefix).join(', ')} };`;
  };
  return [
    `add table inet ${proxyTable}`,
    `delete table inet ${proxyTable}`,
    `table inet ${proxyTable} {`,
    ...families.flatMap((family) => [
      `  set pods-${family} { type ${addressTypes[family]}; flags interval;${pods(family)} }`,
      `  set cluster-ips-${family} { type ${addressTypes[family]}; }`,
      `  map services-${family} { type ${addressTypes[family]} . inet_proto . inet_service : verdict; }`,
      `  map no-endpoints-${family} { type ${addressTypes[family]} . inet_proto . inet_service : verdict; }`,
      `  map node-ports-${family} { type inet_proto . inet_service : verdict; }`,
      `  map no-node-port-endpoints-${family} { type inet_proto . inet_service : verdict; }`,
    ]),
    '  chain services {',
    ...families.flatMap((family) => lookUp(family, 'services', 'node-ports')),
    '  }',
    '  chain refuse {',
    // The kernel sends a client one such message of ICMP a second; of resets as many as it asks for.
    '    meta l4proto tcp reject with tcp reset',
    '    reject with icmpx type port-unreachable',
    '  }',
    '  chain without-endpoints {',
    ...families.flatMap((family) => lookUp(family, 'no-endpoints', 'no-node-port-endpoints')),
    // The address of a Service, but no port of it.
    ...families.map((family) => `    ${ipOf(family)} daddr @cluster-ips-${family} goto refuse`),
    '  }',
    ...hook('prerouting', 'nat', 'dstnat', ['jump services']),
    ...hook('output', 'nat', '-100', ['jump services']),
    ...hook('postrouting', 'nat', 'srcnat', [
      `meta mark & ${masqueradeMark} == 0 return`,
      `meta mark set meta mark ^ ${masqueradeMark}`,
      'masquerade',
    ]),
    ...['input', 'forward', 'output'].flatMap((name) =>
      hook(name, 'filter', 'filter', ['ct state new jump without-endpoints']),
    ),
    '}',
    '',
  ].join('\n');
}

function lookUp(family: Family, services: string, nodePorts: string): string[] {
  const ip = ipOf(family);
  return [
    `    ${ip} daddr . meta l4proto . th dport vmap @${services}-${family}`,
    `    fib daddr type local ${ip} daddr != ${loopbacks[family]} meta l4proto . th dport vmap @${nodePorts}-${family}`,
  ];
}

function hook(at: string, type: 'nat' | 'filter', priority: string, rules: readonly string[]): string[] {
  return [
    `  chain ${type}-${at} {`,
    `    type ${type} hook ${at} priority ${priority}; policy accept;`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ];
}

/**
 * The commands that make one Service's part of the table what it is to be; empty if it is so already. To be run in one
 * transaction, with those of other Services if there are more.
 */
export function renderChange(before: ServiceRules, after: ServiceRules): string {
  const lines: string[] = [];
  const table = `inet ${proxyTable}`;
  for (const [element, verdict] of before.elements)
    if (after.elements.get(element) !== verdict) lines.push(`delete element ${table} ${inBraces(element)}`);
  for (const [name, declaration] of after.sets) {
    const old = before.sets.get(name);
    if (old === declaration) continue;
    // Members know their timeout; a set cannot change it while rules use it.
    if (old !== undefined) lines.push(...flushed(before), `delete set ${table} ${name}`);
    lines.push(`add set ${table} ${name} { ${declaration} }`);
  }
  const rebuilt = [...after.sets].some(
    ([name, text]) => before.sets.has(name) && before.sets.get(name) !== text,
  );
  const changed = [...after.chains].filter(
    ([name, rules]) => rebuilt || !sameRules(before.chains.get(name), rules),
  );
  for (const [name] of changed) lines.push(`add chain ${table} ${name}`, `flush chain ${table} ${name}`);
  for (const [name, rules] of changed)
    for (const rule of rules) lines.push(`add rule ${table} ${name} ${rule}`);
  for (const [element, verdict] of after.elements)
    if (before.elements.get(element) !== verdict)
      lines.push(`add element ${table} ${inBraces(element, verdict)}`);
  const gone = [...before.chains.keys()].filter((name) => !after.chains.has(name));
  for (const name of gone) lines.push(`flush chain ${table} ${name}`);
  for (const name of gone) lines.push(`delete chain ${table} ${name}`);
  for (const name of before.sets.keys()) if (!after.sets.has(name)) lines.push(`delete set ${table} ${name}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function flushed(rules: ServiceRules): string[] {
  return [...rules.chains.keys()].map((name) => `flush chain inet ${proxyTable} ${name}`);
}

function sameRules(before: readonly string[] | undefined, after: readonly string[]): boolean {
  return (
    before !== undefined &&
    before.length === after.length &&
    before.every((rule, index) => rule === after[index])
  );
}

function inBraces(element: string, verdict = ''): string {
  const at = element.indexOf(' ');
  return `${element.slice(0, at)} { ${element.slice(at + 1)}${verdict === '' ? '' : ` : ${verdict}`} }`;
}
