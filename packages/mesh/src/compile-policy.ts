import { principalName } from './identity.ts';
import type { Principal } from './identity.ts';
import { Cidr, parseIp } from './ip.ts';
import type { IpFamily } from './ip.ts';
import type {
  CidrMatch,
  Policy,
  PolicyClause,
  PolicyMatch,
  PolicyRule,
  ServiceAccountMatch,
  StringMatch,
} from './types.ts';

/** What a policy is matched against. Addresses are canonical text, ports 1..65535. */
export interface PolicyConnection {
  /** Undefined on plaintext. */
  readonly principal: Principal | undefined;
  readonly sourceIp: string;
  /** The pod's own address, never a VIP. */
  readonly destinationIp: string;
  /** The resolved target port, after a port override by an application tunnel. */
  readonly destinationPort: number;
}

/** A connection prepared for many policies: text is parsed at most once, and only if a policy asks. */
export class MatchInput {
  readonly principal: Principal | undefined;
  readonly namespace: string;
  readonly port: number;
  readonly #connection: PolicyConnection;
  #name: string | undefined;
  #source: ParsedIp | undefined;
  #destination: ParsedIp | undefined;

  constructor(connection: PolicyConnection) {
    this.#connection = connection;
    this.principal = connection.principal;
    this.namespace = connection.principal?.namespace ?? '';
    this.port = connection.destinationPort;
  }

  /** Principal without `spiffe://`, or undefined without an identity. */
  get name(): string | undefined {
    if (this.principal === undefined) return undefined;
    return (this.#name ??= principalName(this.principal));
  }

  get source(): ParsedIp {
    return (this.#source ??= new ParsedIp(this.#connection.sourceIp));
  }

  get destination(): ParsedIp {
    return (this.#destination ??= new ParsedIp(this.#connection.destinationIp));
  }
}

class ParsedIp {
  readonly words = new Uint32Array(4);
  readonly family: IpFamily | 0;
  constructor(text: string) {
    this.family = parseIp(text, this.words);
  }
}

type Test = (input: MatchInput) => boolean;

/**
 * A policy in the form in which connections are tested: empty levels resolved, ranges as words.
 *
 * Rules OR (none: no match), clauses AND (none: match), matches OR (none: match), fields of a match AND (all empty: never).
 */
export class CompiledPolicy {
  readonly key: string;
  readonly policy: Policy;
  readonly #rules: readonly Test[];

  /** A range or string match that {@link validatePolicy} would report never matches. */
  constructor(key: string, policy: Policy) {
    this.key = key;
    this.policy = policy;
    this.#rules = policy.rules.map(compileRule).filter((test) => test !== never);
  }

  matches(input: MatchInput): boolean {
    for (const rule of this.#rules) if (rule(input)) return true;
    return false;
  }
}

const never: Test = () => false;
const always: Test = () => true;

function compileRule(rule: PolicyRule): Test {
  return allOf(rule.clauses.map(compileClause));
}

function compileClause(clause: PolicyClause): Test {
  return clause.matches.length === 0 ? always : anyOf(clause.matches.map(compileMatch));
}

function compileMatch(match: PolicyMatch): Test {
  const fields: Test[] = [];
  const add = <T>(list: readonly T[], notList: readonly T[], compile: (list: readonly T[]) => Test) => {
    if (list.length > 0) fields.push(compile(list));
    if (notList.length > 0) fields.push(not(compile(notList)));
  };
  // Cheap tests first: a field that fails ends the match.
  add(match.destinationPorts, match.notDestinationPorts, ports);
  add(match.serviceAccounts, match.notServiceAccounts, serviceAccounts);
  add(match.namespaces, match.notNamespaces, namespaces);
  add(match.principals, match.notPrincipals, principals);
  add(match.sourceIps, match.notSourceIps, sourceIps);
  add(match.destinationIps, match.notDestinationIps, destinationIps);
  return fields.length === 0 ? never : allOf(fields);
}

function allOf(tests: readonly Test[]): Test {
  if (tests.includes(never)) return never;
  const needed = tests.filter((test) => test !== always);
  if (needed.length === 0) return always;
  if (needed.length === 1) return needed[0]!;
  return (input) => {
    for (const test of needed) if (!test(input)) return false;
    return true;
  };
}

function anyOf(tests: readonly Test[]): Test {
  if (tests.includes(always)) return always;
  const possible = tests.filter((test) => test !== never);
  if (possible.length === 0) return never;
  if (possible.length === 1) return possible[0]!;
  return (input) => {
    for (const test of possible) if (test(input)) return true;
    return false;
  };
}

function not(test: Test): Test {
  return (input) => !test(input);
}

function ports(list: readonly number[]): Test {
  return (input) => list.includes(input.port);
}

function serviceAccounts(list: readonly ServiceAccountMatch[]): Test {
  return (input) => {
    const principal = input.principal;
    if (principal === undefined) return false;
    for (const match of list) {
      if (match.serviceAccount === principal.serviceAccount && match.namespace === principal.namespace)
        return true;
    }
    return false;
  };
}

function namespaces(list: readonly StringMatch[]): Test {
  return (input) => matchesAny(list, input.namespace);
}

function principals(list: readonly StringMatch[]): Test {
  return (input) => {
    const name = input.name;
    return name !== undefined && matchesAny(list, name);
  };
}

function sourceIps(list: readonly CidrMatch[]): Test {
  const ranges = compileRanges(list);
  return (input) => containsAny(ranges, input.source);
}

function destinationIps(list: readonly CidrMatch[]): Test {
  const ranges = compileRanges(list);
  return (input) => containsAny(ranges, input.destination);
}

function compileRanges(list: readonly CidrMatch[]): readonly Cidr[] {
  return list.map((match) => Cidr.from(match.ip, match.length)).filter((range) => range !== undefined);
}

function containsAny(ranges: readonly Cidr[], ip: ParsedIp): boolean {
  for (const range of ranges) if (range.contains(ip.words, ip.family)) return true;
  return false;
}

function matchesAny(list: readonly StringMatch[], text: string): boolean {
  for (const match of list) if (matchesString(match, text)) return true;
  return false;
}

function matchesString(match: StringMatch, text: string): boolean {
  switch (match.kind) {
    case 'exact':
      return text === match.value;
    case 'prefix':
      return text.startsWith(match.value);
    case 'suffix':
      return text.endsWith(match.value);
    case 'presence':
      return text !== '';
    default:
      return false;
  }
}
