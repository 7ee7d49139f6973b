import { ipToBytes } from '@ambient/mesh';
import type { istio } from '@ambient/wire';
import { parsePort, parseServiceAccount } from '../../validation/authorization-policy.ts';
import { parseIpBlock } from '../../validation/field-values.ts';
import type { PolicySettings } from './policy-settings.ts';

/** A list of a rule as ztunnel gets it, and how many of its entries have no meaning. */
export interface ReadValues<T> {
  readonly values: T[];
  readonly unreadable: number;
}

/** Reads a list of a rule. Absent and empty are alike; what is no list counts as one entry without a meaning. */
export function readValues<T>(list: unknown, read: (text: string) => T | undefined): ReadValues<T> {
  if (list === undefined || list === null) return { values: [], unreadable: 0 };
  if (!Array.isArray(list)) return { values: [], unreadable: 1 };
  const values: T[] = [];
  for (const entry of list as unknown[]) {
    const value = typeof entry === 'string' ? read(entry) : undefined;
    if (value !== undefined) values.push(value);
  }
  return { values, unreadable: list.length - values.length };
}

/** `*` is any value that is there, `*x` a suffix, `x*` a prefix; a star elsewhere is a character. */
export function stringMatch(text: string): istio.security.IStringMatch {
  if (text === '*') return { presence: {} };
  if (text.startsWith('*')) return { suffix: text.slice(1) };
  if (text.endsWith('*')) return { prefix: text.slice(0, -1) };
  return { exact: text };
}

/** An account without a namespace is of the namespace of the policy. */
export function serviceAccountMatch(
  text: string,
  namespace: string,
): istio.security.IServiceAccountMatch | undefined {
  const account = parseServiceAccount(text);
  return account && { namespace: account.namespace ?? namespace, serviceAccount: account.name };
}

export function addressMatch(text: string): istio.security.IAddress | undefined {
  const block = parseIpBlock(text);
  if (block === undefined) return undefined;
  return { address: ipToBytes(block.ip)!, length: block.length };
}

/**
 * The principals that a list shuts out, with those that the same names have under the mesh's own trust domain:
 * `cluster.local` and the aliases stand for it in policies. Istio's ztunnel compares them as they are written, so that a
 * DENY by an old name denies nobody.
 */
export function withOwnTrustDomain(list: unknown, mesh: PolicySettings): unknown {
  if (!Array.isArray(list)) return list;
  const names = ['cluster.local', ...(mesh.trustDomainAliases ?? [])].filter(
    (name) => name !== mesh.trustDomain,
  );
  return (list as unknown[]).flatMap((entry) => {
    const slash = typeof entry === 'string' ? entry.indexOf('/') : -1;
    if (typeof entry !== 'string' || !names.includes(entry.slice(0, slash))) return [entry];
    return slash < 0 ? [entry] : [entry, mesh.trustDomain + entry.slice(slash)];
  });
}

export const portMatch = parsePort;

/**
 * The principals of a trust domain, which is the part of a principal before its first slash. Undefined for a suffix: the
 * wire cannot ask for the end of that part.
 */
export function trustDomainMatch(text: string): istio.security.IStringMatch | undefined {
  if (text === '*') return { presence: {} };
  if (text === '' || text.startsWith('*') || text.includes('/')) return undefined;
  return { prefix: text.endsWith('*') ? text.slice(0, -1) : `${text}/` };
}
