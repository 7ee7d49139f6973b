import type { istio } from '@ambient/wire';
import {
  conditionForm,
  notField,
  operationFields,
  sourceFields,
} from '../../validation/authorization-policy.ts';
import {
  addressMatch,
  portMatch,
  readValues,
  serviceAccountMatch,
  stringMatch,
  trustDomainMatch,
  withOwnTrustDomain,
} from './match-values.ts';
import type { ReadValues } from './match-values.ts';
import { isRecord } from './policy-selection.ts';
import type { PolicySettings } from './policy-settings.ts';

/** One entry of `from`, `to` or `when` on layer 4. */
export interface EntryMatch {
  /** Without fields it never holds (facts of `istio.security.Match`). */
  readonly match: istio.security.IMatch;
  /** Paths, from the entry, of what only a waypoint can enforce: a rule of ALLOW that has one is left out. */
  readonly httpFields: readonly string[];
  /** The same for fields that leave the rule there: the match of ALLOW never holds, that of DENY ignores them. */
  readonly unenforced: readonly string[];
  /**
   * Only of DENY: nothing that could be read is left, though something is written that was meant to match. The match is
   * without fields then.
   */
  readonly lost: boolean;
  /** A condition whose key AuthorizationPolicy does not have. */
  readonly unknownKey?: boolean;
}

type Action = 'ALLOW' | 'DENY';

/**
 * Gathers the fields of one match so that it never lets through more than was written. What cannot be read makes a match
 * of ALLOW never hold, unless it is one of several alternatives; in DENY it no longer narrows the match.
 */
class MatchBuilder {
  readonly #action: Action;
  readonly match: istio.security.IMatch = {};
  readonly unenforced: string[] = [];
  #closed = false;
  #somethingUnread = false;

  constructor(action: Action) {
    this.#action = action;
  }

  /** One field, a list of alternatives. */
  positive<T>(read: ReadValues<T>, set: (values: T[]) => void): void {
    if (read.values.length > 0) set(read.values);
    else if (read.unreadable > 0) this.unreadable();
  }

  /** Its `not` twin: an entry that is dropped there lets more through. */
  negative<T>(read: ReadValues<T>, set: (values: T[]) => void): void {
    if (read.unreadable > 0) this.unreadable();
    if (read.values.length > 0) set(read.values);
  }

  /** Something is written that this cannot enforce. */
  unreadable(): void {
    this.#somethingUnread = true;
    if (this.#action === 'ALLOW') this.#closed = true;
  }

  get isEmpty(): boolean {
    return Object.keys(this.match).length === 0;
  }

  done(httpFields: readonly string[]): EntryMatch {
    const { unenforced } = this;
    if (this.#closed) return { match: {}, httpFields, unenforced, lost: false };
    const lost = this.#action === 'DENY' && this.#somethingUnread && this.isEmpty;
    return { match: this.match, httpFields, unenforced, lost };
  }
}

/** In ALLOW an empty name would let in who has none: plaintext has an empty namespace. */
function readStrings(list: unknown, action: Action): ReadValues<istio.security.IStringMatch> {
  return readValues(list, (text) => (text === '' && action === 'ALLOW' ? undefined : stringMatch(text)));
}

/** Principals, and those that must not match. What shuts out goes by every name of the mesh's trust domain. */
function addPrincipals(
  values: unknown,
  notValues: unknown,
  action: Action,
  mesh: PolicySettings,
  builder: MatchBuilder,
): void {
  const { match } = builder;
  const positive = action === 'DENY' ? withOwnTrustDomain(values, mesh) : values;
  const negative = action === 'ALLOW' ? withOwnTrustDomain(notValues, mesh) : notValues;
  builder.positive(readStrings(positive, action), (v) => (match.principals = v));
  builder.negative(readValues(negative, stringMatch), (v) => (match.notPrincipals = v));
}

/** One entry of `from`. `namespace` is the policy's. */
export function sourceMatch(
  entry: unknown,
  action: Action,
  namespace: string,
  mesh: PolicySettings,
): EntryMatch {
  const builder = new MatchBuilder(action);
  const source = innerOf(entry, 'source');
  if (source === undefined) {
    builder.unreadable();
    return builder.done([]);
  }
  noteUnknownFields(source, sourceFields, builder);
  const { match } = builder;
  const account = (text: string) => serviceAccountMatch(text, namespace);
  const anyString = (list: unknown) => readValues(list, stringMatch);
  addPrincipals(source['principals'], source['notPrincipals'], action, mesh, builder);
  builder.positive(readStrings(source['namespaces'], action), (v) => (match.namespaces = v));
  builder.negative(anyString(source['notNamespaces']), (v) => (match.notNamespaces = v));
  builder.positive(readValues(source['serviceAccounts'], account), (v) => (match.serviceAccounts = v));
  builder.negative(readValues(source['notServiceAccounts'], account), (v) => (match.notServiceAccounts = v));
  builder.positive(readValues(source['ipBlocks'], addressMatch), (v) => (match.sourceIps = v));
  builder.negative(readValues(source['notIpBlocks'], addressMatch), (v) => (match.notSourceIps = v));
  addTrustDomains(source, action, builder);
  const http = presentFields(source, 'source', ['requestPrincipals', 'remoteIpBlocks']);
  if (builder.isEmpty && http.length === 0) builder.unreadable();
  return builder.done(http);
}

/**
 * Trust domains of a source. Istio leaves them out: beside other fields that widens ALLOW, and alone it makes DENY do
 * nothing. Here ALLOW never holds, and a DENY that names nothing else denies by the trust domain of the principal.
 */
function addTrustDomains(
  source: Readonly<Record<string, unknown>>,
  action: Action,
  builder: MatchBuilder,
): void {
  const positive = readValues(source['trustDomains'], trustDomainMatch);
  const negative = readValues(source['notTrustDomains'], trustDomainMatch);
  if (positive.values.length + positive.unreadable + negative.values.length + negative.unreadable === 0)
    return;
  const fields = presentFields(source, 'source', ['trustDomains']);
  if (action === 'ALLOW') {
    builder.unreadable();
    builder.unenforced.push(...fields);
  } else if (!builder.isEmpty) builder.unenforced.push(...fields);
  else {
    if (positive.unreadable > 0) builder.unreadable();
    else builder.positive(positive, (v) => (builder.match.principals = v));
    builder.negative(negative, (v) => (builder.match.notPrincipals = v));
  }
}

/** One entry of `to`. */
export function operationMatch(entry: unknown, action: Action): EntryMatch {
  const builder = new MatchBuilder(action);
  const operation = innerOf(entry, 'operation');
  if (operation === undefined) {
    builder.unreadable();
    return builder.done([]);
  }
  noteUnknownFields(operation, operationFields, builder);
  const { match } = builder;
  builder.positive(readValues(operation['ports'], portMatch), (v) => (match.destinationPorts = v));
  builder.negative(readValues(operation['notPorts'], portMatch), (v) => (match.notDestinationPorts = v));
  const http = presentFields(operation, 'operation', ['hosts', 'methods', 'paths']);
  if (builder.isEmpty && http.length === 0) builder.unreadable();
  return builder.done(http);
}

/** One entry of `when`. A key that only a waypoint knows gives a match without fields. */
export function conditionMatch(entry: unknown, action: Action, mesh: PolicySettings): EntryMatch {
  const builder = new MatchBuilder(action);
  const when = isRecord(entry) ? entry : {};
  const key = when['key'];
  const { values, notValues } = when;
  const { match } = builder;
  const anyString = (list: unknown) => readValues(list, stringMatch);
  switch (key) {
    case 'source.principal':
      addPrincipals(values, notValues, action, mesh, builder);
      break;
    case 'source.namespace':
      builder.positive(readStrings(values, action), (v) => (match.namespaces = v));
      builder.negative(anyString(notValues), (v) => (match.notNamespaces = v));
      break;
    case 'source.ip':
      builder.positive(readValues(values, addressMatch), (v) => (match.sourceIps = v));
      builder.negative(readValues(notValues, addressMatch), (v) => (match.notSourceIps = v));
      break;
    case 'destination.ip':
      builder.positive(readValues(values, addressMatch), (v) => (match.destinationIps = v));
      builder.negative(readValues(notValues, addressMatch), (v) => (match.notDestinationIps = v));
      break;
    case 'destination.port':
      builder.positive(readValues(values, portMatch), (v) => (match.destinationPorts = v));
      builder.negative(readValues(notValues, portMatch), (v) => (match.notDestinationPorts = v));
      break;
    default:
      if (typeof key === 'string' && conditionForm(key) !== undefined) return builder.done([key]);
      builder.unreadable();
      return { ...builder.done([]), unknownKey: true };
  }
  if (builder.isEmpty) builder.unreadable();
  return builder.done([]);
}

function innerOf(entry: unknown, field: string): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(entry)) return undefined;
  const inner = entry[field];
  return isRecord(inner) && Object.keys(inner).length > 0 ? inner : undefined;
}

function noteUnknownFields(
  fields: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
  builder: MatchBuilder,
): void {
  for (const name in fields) {
    if (Object.hasOwn(known, name)) continue;
    if (!Object.keys(known).some((positive) => notField(positive) === name)) builder.unreadable();
  }
}

/** Which of the named fields and their `not` twins hold something. */
function presentFields(
  fields: Readonly<Record<string, unknown>>,
  prefix: string,
  names: readonly string[],
): string[] {
  const isSet = (value: unknown) =>
    value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
  return names
    .flatMap((name) => [name, notField(name)])
    .filter((name) => isSet(fields[name]))
    .map((name) => `${prefix}.${name}`);
}
