import type { Policy, PolicyMatch, PolicyRule, ServiceAccountMatch, StringMatch } from '@ambient/mesh';

import { FieldError } from '../errors.ts';
import { cidrText } from './local-fields.ts';
import { describe, flag, listOf, optional, portNumber, record, required, text, word } from './schema.ts';
import type { Check, Field } from './schema.ts';

/** A YAML value with one of the tags `!Exact`, `!Prefix`, `!Suffix`, `!Presence`. */
export class TaggedMatch {
  readonly kind: StringMatch['kind'];
  readonly value: string;

  constructor(kind: StringMatch['kind'], value: string) {
    this.kind = kind;
    this.value = value;
  }
}

/** Tag, and key of the JSON form, by kind. */
export const matchKinds = {
  Exact: 'exact',
  Prefix: 'prefix',
  Suffix: 'suffix',
  Presence: 'presence',
} as const;

/**
 * `!Exact text` and its siblings. The JSON form `{Exact: text}` is taken too, so that what `/config_dump` shows can be fed
 * back; Istio's ztunnel takes only tags here.
 */
const stringMatch: Check<StringMatch> = (value, path) => {
  if (value instanceof TaggedMatch) return { kind: value.kind, value: value.value };
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const [entry, ...more] = Object.entries(value as Record<string, unknown>);
    if (entry !== undefined && more.length === 0 && Object.hasOwn(matchKinds, entry[0])) {
      const kind = matchKinds[entry[0] as keyof typeof matchKinds];
      return { kind, value: kind === 'presence' ? '' : text(entry[1], `${path}.${entry[0]}`) };
    }
  }
  throw new FieldError(
    path,
    `expected a tag, one of !Exact, !Prefix and !Suffix with text, or !Presence []; found ${describe(value)}`,
  );
};

const serviceAccount = record<ServiceAccountMatch>({
  namespace: required(text),
  serviceAccount: required(text),
});

function list<T>(check: Check<T>): Field<readonly T[]> {
  return optional<readonly T[]>(listOf(check), []);
}

const match = record<PolicyMatch>({
  namespaces: list(stringMatch),
  notNamespaces: list(stringMatch),
  serviceAccounts: list(serviceAccount),
  notServiceAccounts: list(serviceAccount),
  principals: list(stringMatch),
  notPrincipals: list(stringMatch),
  sourceIps: list(cidrText),
  notSourceIps: list(cidrText),
  destinationIps: list(cidrText),
  notDestinationIps: list(cidrText),
  destinationPorts: list(portNumber),
  notDestinationPorts: list(portNumber),
});

const rules: Check<PolicyRule[]> = (value, path) =>
  listOf(listOf(listOf(match)))(value, path).map((clauses) => ({
    clauses: clauses.map((matches) => ({ matches })),
  }));

/** One entry of `policies`; all six keys are required. */
export const localPolicy = record<Policy>({
  name: required(text),
  namespace: required(text),
  scope: required(word({ Global: 'GLOBAL', Namespace: 'NAMESPACE', WorkloadSelector: 'WORKLOAD_SELECTOR' })),
  action: required(word({ Allow: 'ALLOW', Deny: 'DENY' })),
  dryRun: required(flag),
  rules: required(rules),
});
