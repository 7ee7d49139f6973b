import { istio } from '@ambient/wire';
import type { AuthorizationPolicy } from '@ambient/kube';
import { validateAuthorizationPolicy } from '../../validation/authorization-policy.ts';
import { describeProblems, errorsOf } from '../../validation/problem.ts';
import type { FieldProblem } from '../../validation/problem.ts';
import type { NotForZtunnel } from './policy-selection.ts';
import { actionOf, isDryRun, isRecord, scopeOf } from './policy-selection.ts';
import type { PolicySettings } from './policy-settings.ts';
import { conditionMatch, operationMatch, sourceMatch } from './rule-match.ts';
import type { EntryMatch } from './rule-match.ts';

const { Action, Scope } = istio.security;

/** What ztunnel makes of a policy, for its condition `ZtunnelAccepted`. */
export interface PolicyAcceptance {
  readonly accepted: boolean;
  /** `Invalid` means fields that cannot be read; `UnsupportedValue`, parts that only a waypoint enforces. */
  readonly reason: 'Accepted' | 'UnsupportedValue' | 'Invalid';
  readonly message: string;
}

export interface AuthorizationPolicyTranslation {
  /** Resource name, `namespace/name`. */
  readonly name: string;
  /** What ztunnels get; undefined if this policy is not for them. */
  readonly authorization: istio.security.IAuthorization | undefined;
  /** What is wrong with the policy, field by field. */
  readonly problems: readonly FieldProblem[];
  /** Undefined for a policy that targets waypoints. */
  readonly ztunnel: PolicyAcceptance | undefined;
}

/**
 * What an AuthorizationPolicy means for ztunnel, which knows connections and no requests.
 *
 * Rules OR, clauses (from, to and each when) AND, entries of a clause OR, fields of an entry AND. A rule of ALLOW with a
 * part that only a waypoint can enforce is left out, so that it allows nothing; DENY loses that part, and a clause that
 * consists of it never holds. A policy is sent even if no rule is left: ALLOW then denies whatever it selects.
 *
 * Where a field cannot be read, ALLOW allows less and DENY denies more: a rule of DENY is enforced without the clause that
 * has lost its meaning, as long as another clause limits it. The object of any custom resource may hold any JSON here.
 */
export function translateAuthorizationPolicy(
  policy: AuthorizationPolicy,
  mesh: PolicySettings,
): AuthorizationPolicyTranslation {
  const { name, namespace = '' } = policy.metadata;
  const problems = validateAuthorizationPolicy(policy);
  const resource = `${namespace}/${name}`;
  const scope = scopeOf(policy, mesh);
  if (scope !== 'GLOBAL' && scope !== 'NAMESPACE' && scope !== 'WORKLOAD_SELECTOR')
    return {
      name: resource,
      authorization: undefined,
      problems,
      ztunnel: whyNotSent(scope, policy, problems),
    };
  const action = actionOf(policy) === 'DENY' ? 'DENY' : 'ALLOW';
  const notes = new RuleNotes();
  const authorization: istio.security.IAuthorization = {
    name,
    namespace,
    scope: Scope[scope],
    action: Action[action],
    rules: rulesOf(policy).flatMap((rule, i) => translateRule(rule, i, action, { namespace, mesh, notes })),
    dryRun: isDryRun(policy),
  };
  return { name: resource, authorization, problems, ztunnel: notes.acceptance(action, problems) };
}

function rulesOf(policy: AuthorizationPolicy): readonly unknown[] {
  const rules: unknown = isRecord(policy.spec) ? policy.spec['rules'] : undefined;
  return Array.isArray(rules) ? rules : [];
}

interface RuleContext {
  /** Of the policy. */
  readonly namespace: string;
  readonly mesh: PolicySettings;
  readonly notes: RuleNotes;
}

interface Clause {
  readonly clause: istio.security.IClause;
  readonly lost: boolean;
}

/** @returns one rule, or none if it may not be sent */
function translateRule(
  rule: unknown,
  index: number,
  action: 'ALLOW' | 'DENY',
  { namespace, mesh, notes }: RuleContext,
): istio.security.IRule[] {
  const path = `spec.rules[${index}]`;
  // A rule that is no object has no meaning: to take it for an empty one would match everything.
  if (!isRecord(rule)) return [];
  const httpFields: string[] = [];
  const clauses: Clause[] = [];
  let incomplete = Object.keys(rule).some((name) => name !== 'from' && name !== 'to' && name !== 'when');
  const addClause = (field: string, entries: readonly EntryMatch[]) => {
    entries.forEach((entry, i) => {
      httpFields.push(...entry.httpFields.map((name) => `${path}.${field}[${i}].${name}`));
      notes.notEnforced(entry.unenforced.map((name) => `${path}.${field}[${i}].${name}`));
    });
    clauses.push({
      clause: { matches: entries.map((entry) => entry.match) },
      lost: entries.some((entry) => entry.lost),
    });
  };
  const list = (field: string): readonly unknown[] => {
    const value = rule[field];
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.length > 0) return value;
    incomplete = true;
    return [];
  };
  const to = list('to').map((entry) => operationMatch(entry, action));
  if (to.length > 0) addClause('to', to);
  const from = list('from').map((entry) => sourceMatch(entry, action, namespace, mesh));
  if (from.length > 0) addClause('from', from);
  list('when').forEach((entry, i) => {
    const condition = conditionMatch(entry, action, mesh);
    httpFields.push(...condition.httpFields.map((key) => `${path}.when[${i}] (${key})`));
    if (condition.unknownKey === true) incomplete = true;
    clauses.push({ clause: { matches: [condition.match] }, lost: condition.lost });
  });
  notes.notEnforced(httpFields);
  // ALLOW: what is left of the rule would allow more than the rule as it was written.
  if (action === 'ALLOW' && (incomplete || httpFields.length > 0)) return [];
  const kept = withoutLost(clauses, path, notes);
  if (action === 'DENY' && kept.every(({ matches }) => matches?.some(hasFields))) notes.effective();
  return [{ clauses: kept }];
}

/** The clauses of DENY that still mean something; if none does, the rule stays and never matches, as in Istio. */
function withoutLost(clauses: readonly Clause[], path: string, notes: RuleNotes): istio.security.IClause[] {
  const readable = clauses.filter(({ lost }) => !lost);
  if (readable.length === clauses.length) return readable.map(({ clause }) => clause);
  if (readable.length === 0) {
    notes.withoutEffect(path);
    return clauses.map(({ clause }) => clause);
  }
  notes.wider(path);
  return readable.map(({ clause }) => clause);
}

function hasFields(match: istio.security.IMatch): boolean {
  return Object.keys(match).length > 0;
}

/** What is to be said about the rules of one policy. */
class RuleNotes {
  readonly #notEnforced: string[] = [];
  readonly #wider: string[] = [];
  readonly #withoutEffect: string[] = [];
  #effective = false;

  /** Parts of a rule that only a waypoint enforces. */
  notEnforced(paths: readonly string[]): void {
    for (const path of paths) this.#notEnforced.push(path);
  }

  wider(path: string): void {
    this.#wider.push(path);
  }

  withoutEffect(path: string): void {
    this.#withoutEffect.push(path);
  }

  /** A rule of DENY that can match. */
  effective(): void {
    this.#effective = true;
  }

  acceptance(action: 'ALLOW' | 'DENY', problems: readonly FieldProblem[]): PolicyAcceptance {
    const errors = errorsOf(problems);
    const texts: string[] = [];
    if (errors.length > 0) texts.push(describeProblems(errors), this.#consequence(action));
    if (this.#notEnforced.length > 0) texts.push(this.#waypointNeeded(action));
    if (texts.length === 0) return { accepted: true, reason: 'Accepted', message: 'accepted by ztunnel' };
    return {
      accepted: errors.length === 0,
      reason: errors.length > 0 ? 'Invalid' : 'UnsupportedValue',
      message: texts.join('. '),
    };
  }

  #consequence(action: 'ALLOW' | 'DENY'): string {
    if (action === 'ALLOW') return 'Until this is corrected, what cannot be read allows nothing';
    const texts = ['Until this is corrected, the rest is enforced'];
    if (this.#wider.length > 0) texts.push(`${this.#wider.join(', ')} without the part that cannot be read`);
    if (this.#withoutEffect.length > 0) texts.push(`${this.#withoutEffect.join(', ')} denies nothing`);
    return texts.join('; ');
  }

  #waypointNeeded(action: 'ALLOW' | 'DENY'): string {
    const paths = this.#notEnforced.slice(0, 8).join(', ') + (this.#notEnforced.length > 8 ? ', …' : '');
    const consequence =
      action === 'ALLOW'
        ? 'what they are part of allows nothing there'
        : this.#effective
          ? 'rules are enforced without them, and one that names nothing else in from, to or a condition denies nothing'
          : 'no rule of this policy has an effect there';
    return `ztunnel sees connections and no requests, and cannot enforce ${paths}: ${consequence}. To enforce them, deploy a waypoint and name it, or a service that uses it, in targetRefs`;
  }
}

function whyNotSent(
  why: NotForZtunnel,
  policy: AuthorizationPolicy,
  problems: readonly FieldProblem[],
): PolicyAcceptance | undefined {
  switch (why) {
    case 'targets-waypoints':
      return undefined;
    case 'dry-run':
      return {
        accepted: false,
        reason: 'UnsupportedValue',
        message:
          'ztunnel gets no dry-run policies unless AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY is true; nothing is logged or denied for this one',
      };
    case 'action':
      return {
        accepted: false,
        reason: 'UnsupportedValue',
        message: `ztunnel does not support the ${actionOf(policy) ?? ''} action and ignores this policy: deploy a waypoint and name it in targetRefs`,
      };
    case 'unreadable':
      return {
        accepted: false,
        reason: 'Invalid',
        message: `${describeProblems(errorsOf(problems))}. Until this is corrected, the policy is ignored`,
      };
  }
}
