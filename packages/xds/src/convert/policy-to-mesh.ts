import type { CidrMatch, Policy, PolicyMatch, StringMatch } from '@ambient/mesh';
import type { istio } from '@ambient/wire';

import { FieldError } from '../errors.ts';
import { cidrField, enumName, policyActions, policyScopes, portField } from './fields.ts';

/**
 * A layer 4 policy off the wire as plain data.
 *
 * Stricter than Istio's ztunnel, which drops a malformed address or a string match without a kind and so widens the match
 * or makes it match nothing, and truncates a port to 16 bits: here each of these rejects the whole policy.
 *
 * @throws FieldError naming the entry
 */
export function policyToMesh(wire: istio.security.Authorization, path = 'authorization'): Policy {
  return {
    name: wire.name,
    namespace: wire.namespace,
    scope: enumName(policyScopes, wire.scope, `${path}.scope`),
    action: enumName(policyActions, wire.action, `${path}.action`),
    dryRun: wire.dryRun,
    rules: wire.rules.map((rule, r) => ({
      clauses: (rule.clauses ?? []).map((clause, c) => ({
        matches: (clause.matches ?? []).map((match, m) =>
          matchToMesh(match, `${path}.rules[${r}].clauses[${c}].matches[${m}]`),
        ),
      })),
    })),
  };
}

/**
 * One for all: of the twelve lists of a match most are empty, a mesh may have 100,000 matches, and the copy that a worker gets
 * refers to one array as often as this does.
 */
const none: readonly never[] = Object.freeze([]);

function matchToMesh(wire: istio.security.IMatch, path: string): PolicyMatch {
  return {
    namespaces: strings(wire.namespaces, path, 'namespaces'),
    notNamespaces: strings(wire.notNamespaces, path, 'notNamespaces'),
    serviceAccounts: listed(wire.serviceAccounts, serviceAccountOf),
    notServiceAccounts: listed(wire.notServiceAccounts, serviceAccountOf),
    principals: strings(wire.principals, path, 'principals'),
    notPrincipals: strings(wire.notPrincipals, path, 'notPrincipals'),
    sourceIps: ranges(wire.sourceIps, path, 'sourceIps'),
    notSourceIps: ranges(wire.notSourceIps, path, 'notSourceIps'),
    destinationIps: ranges(wire.destinationIps, path, 'destinationIps'),
    notDestinationIps: ranges(wire.notDestinationIps, path, 'notDestinationIps'),
    destinationPorts: ports(wire.destinationPorts, path, 'destinationPorts'),
    notDestinationPorts: ports(wire.notDestinationPorts, path, 'notDestinationPorts'),
  };
}

function listed<Wire, Item>(
  list: readonly Wire[] | null | undefined,
  read: (entry: Wire, index: number) => Item,
): readonly Item[] {
  return list === null || list === undefined || list.length === 0 ? none : list.map(read);
}

function strings(
  list: readonly istio.security.IStringMatch[] | null | undefined,
  path: string,
  field: keyof PolicyMatch,
): readonly StringMatch[] {
  return listed(list, (match, i): StringMatch => {
    if (typeof match.exact === 'string') return { kind: 'exact', value: match.exact };
    if (typeof match.prefix === 'string') return { kind: 'prefix', value: match.prefix };
    if (typeof match.suffix === 'string') return { kind: 'suffix', value: match.suffix };
    if (match.presence) return { kind: 'presence', value: '' };
    throw new FieldError(`${path}.${field}[${i}]`, 'has none of exact, prefix, suffix and presence');
  });
}

function serviceAccountOf(
  match: istio.security.IServiceAccountMatch,
): PolicyMatch['serviceAccounts'][number] {
  return { namespace: match.namespace ?? '', serviceAccount: match.serviceAccount ?? '' };
}

function ranges(
  list: readonly istio.security.IAddress[] | null | undefined,
  path: string,
  field: keyof PolicyMatch,
): readonly CidrMatch[] {
  return listed(list, (range, i) => cidrField(range.address, range.length ?? 0, `${path}.${field}[${i}]`));
}

function ports(
  list: readonly number[] | null | undefined,
  path: string,
  field: keyof PolicyMatch,
): readonly number[] {
  return listed(list, (port, i) => portField(port, `${path}.${field}[${i}]`));
}
