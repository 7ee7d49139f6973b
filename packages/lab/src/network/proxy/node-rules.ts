// A Service's part of the rules of one node. Pure.
import { createHash } from 'node:crypto';

import type { Family } from '../addresses.ts';
import type { ProxiedPort, Target } from './service-ports.ts';
import { dropOnNode, ipOf, masqueradeMark } from './nft-table.ts';

/** What one Service adds to the table: it shares nothing of it with other Services. */
export interface ServiceRules {
  /** Rules by name of chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Declarations by name of set. */
  readonly sets: ReadonlyMap<string, string>;
  /** Elements of the table's maps and sets, by `map key`: the verdict, or '' in a set. */
  readonly elements: ReadonlyMap<string, string>;
}

export const noRules: ServiceRules = { chains: new Map(), sets: new Map(), elements: new Map() };

interface Draft {
  readonly chains: Map<string, string[]>;
  readonly sets: Map<string, string>;
  readonly elements: Map<string, string>;
}

/** @param key `namespace/name` of the Service */
export function serviceRules(key: string, ports: readonly ProxiedPort[], nodeName: string): ServiceRules {
  const draft: Draft = { chains: new Map(), sets: new Map(), elements: new Map() };
  for (const port of ports) addPort(draft, key, port, nodeName);
  return draft;
}

function addPort(draft: Draft, key: string, port: ProxiedPort, nodeName: string): void {
  const { family, protocol, clusterIp, targets } = port;
  const internal = clusterIp === undefined ? [] : [`${clusterIp} . ${protocol} . ${port.port}`];
  const external = port.externalIps.map((ip) => `${ip} . ${protocol} . ${port.port}`);
  const nodePort = port.nodePort === undefined ? [] : [`${protocol} . ${port.nodePort}`];
  if (clusterIp !== undefined) draft.elements.set(`cluster-ips-${family} ${clusterIp}`, '');
  if (targets.length === 0) {
    for (const address of [...internal, ...external])
      draft.elements.set(`no-endpoints-${family} ${address}`, 'goto refuse');
    for (const address of nodePort)
      draft.elements.set(`no-node-port-endpoints-${family} ${address}`, 'goto refuse');
    return;
  }
  const chains = new PortChains(draft, key, port);
  const local = targets.filter((target) => target.nodeName === nodeName);
  if (internal.length > 0) {
    const chain = port.internalLocal ? chains.balance('local', local) : chains.balance('all', targets);
    for (const address of internal) draft.elements.set(`services-${family} ${address}`, `goto ${chain}`);
  }
  if (external.length + nodePort.length === 0) return;
  const chain = chains.external(targets, local);
  for (const address of external) draft.elements.set(`services-${family} ${address}`, `goto ${chain}`);
  for (const address of nodePort) draft.elements.set(`node-ports-${family} ${address}`, `goto ${chain}`);
}

/** The chains of one port, each made once. */
class PortChains {
  readonly #draft: Draft;
  readonly #key: string;
  readonly #port: ProxiedPort;

  constructor(draft: Draft, key: string, port: ProxiedPort) {
    this.#draft = draft;
    this.#key = key;
    this.#port = port;
  }

  /** Chooses one of the targets, the one of last time for a client that stays; drops where there are none. */
  balance(kind: 'all' | 'local', targets: readonly Target[]): string {
    const name = this.#name(kind === 'all' ? 'service' : 'service-local');
    if (this.#draft.chains.has(name)) return name;
    const endpoints = targets.map((target) => this.#endpoint(target));
    const rules: string[] = [];
    if (this.#port.affinitySeconds !== undefined)
      for (const { chain, affinity } of endpoints)
        rules.push(`${ipOf(this.#port.family)} saddr @${affinity} goto ${chain}`);
    if (endpoints.length === 0) rules.push(dropOnNode);
    else if (endpoints.length === 1) rules.push(`goto ${endpoints[0]!.chain}`);
    else {
      const choices = endpoints.map(({ chain }, index) => `${index} : goto ${chain}`);
      rules.push(`numgen random mod ${endpoints.length} vmap { ${choices.join(', ')} }`);
    }
    this.#draft.chains.set(name, rules);
    return name;
  }

  /** What comes from outside: back by this node, or to this node's own endpoints and then as it is. */
  external(targets: readonly Target[], local: readonly Target[]): string {
    const name = this.#name('external');
    const all = this.balance('all', targets);
    if (!this.#port.externalLocal) {
      this.#draft.chains.set(name, [`meta mark set meta mark | ${masqueradeMark}`, `goto ${all}`]);
      return name;
    }
    const ip = ipOf(this.#port.family);
    this.#draft.chains.set(name, [
      // What is from inside is not external, whatever address it uses.
      `${ip} saddr @pods-${this.#port.family} goto ${all}`,
      `fib saddr type local meta mark set meta mark | ${masqueradeMark}`,
      `fib saddr type local goto ${all}`,
      `goto ${this.balance('local', local)}`,
    ]);
    return name;
  }

  #endpoint(target: Target): { readonly chain: string; readonly affinity: string } {
    const { family, protocol, affinitySeconds } = this.#port;
    const ip = ipOf(family);
    const to = family === 'v4' ? target.address : `[${target.address}]`;
    const chain = this.#name('endpoint', `${target.address}/${target.port}`);
    const affinity = chain.replace('endpoint', 'affinity');
    if (!this.#draft.chains.has(chain)) {
      const rules = [
        // A pod that is sent to itself has to hear from somebody else.
        `${ip} saddr ${target.address} meta mark set meta mark | ${masqueradeMark}`,
      ];
      if (affinitySeconds !== undefined) {
        rules.push(`update @${affinity} { ${ip} saddr }`);
        this.#draft.sets.set(
          affinity,
          `type ${addressType(family)}; flags dynamic,timeout; timeout ${affinitySeconds}s;`,
        );
      }
      rules.push(`meta l4proto ${protocol} dnat ${ip} to ${to}:${target.port}`);
      this.#draft.chains.set(chain, rules);
    }
    return { chain, affinity };
  }

  /** Unique by the digest, and readable by what follows; nft takes at most 128 characters, of these. */
  #name(kind: string, suffix = ''): string {
    const { family, protocol, port } = this.#port;
    const whole = `${this.#key}/${protocol}/${port}/${family}`;
    const hash = createHash('sha256').update(`${kind} ${whole} ${suffix}`).digest('hex').slice(0, 12);
    return `${kind}-${hash}-${whole.replaceAll(/[^A-Za-z0-9./-]/g, '_').slice(0, 90)}`;
  }
}

function addressType(family: Family): string {
  return family === 'v4' ? 'ipv4_addr' : 'ipv6_addr';
}
