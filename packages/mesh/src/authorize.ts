import { MatchInput } from './compile-policy.ts';
import type { CompiledPolicy, PolicyConnection } from './compile-policy.ts';
import { formatHostPort } from './ip.ts';
import { principalName } from './identity.ts';
import type { MeshStore } from './store.ts';
import type { Policy, Workload } from './types.ts';

/** Why a connection was refused; stable, shown to operators. */
export type DenialReason =
  /** An enforced DENY policy matched. */
  | 'denied-by-policy'
  /** Enforced ALLOW policies apply to the workload and none of them matched. */
  | 'not-allowed-by-any-policy';

/** Whether a connection is allowed, and by which policy. */
export type Verdict =
  /** `policy` is the key of the ALLOW policy that matched; undefined if no ALLOW policy applies. */
  | { readonly allowed: true; readonly policy: string | undefined }
  /** `policy` is the key of the DENY policy that matched; undefined if no ALLOW policy matched. */
  | { readonly allowed: false; readonly policy: string | undefined; readonly reason: DenialReason };

/** One look at a policy on the way to a verdict, for explanations. */
export type AuthorizeStep =
  | {
      readonly kind: 'policy';
      readonly key: string;
      readonly scope: Policy['scope'];
      readonly action: Policy['action'];
      /** A dry-run policy is tested and has no effect on the verdict. */
      readonly dryRun: boolean;
      readonly matched: boolean;
    }
  /** The workload names a policy that has not arrived. It is skipped; the operator should know. */
  | { readonly kind: 'missing-policy'; readonly key: string };

const allowedByDefault: Verdict = Object.freeze({ allowed: true, policy: undefined });
const notAllowed: Verdict = Object.freeze({
  allowed: false,
  policy: undefined,
  reason: 'not-allowed-by-any-policy',
});

/**
 * Decides whether a connection may reach a workload, by the policies of its namespace, the global ones and those that it names.
 *
 * An enforced DENY policy that matches denies; else without an enforced ALLOW policy all is allowed; else one of them must
 * match. Give `trace` to learn which policies were tested: it also makes dry-run policies run, which otherwise cost nothing.
 */
export function authorize(
  store: MeshStore,
  workload: Workload,
  connection: PolicyConnection,
  trace?: (step: AuthorizeStep) => void,
): Verdict {
  const ofNamespace = store.policies.inNamespace(workload.namespace);
  const global = store.policies.global;
  const named = workload.authorizationPolicies;
  if (ofNamespace.length === 0 && global.length === 0 && named.length === 0) return allowedByDefault;

  const input = new MatchInput(connection);
  const policies = new ApplicablePolicies(store, ofNamespace, global, named);
  if (trace !== undefined) policies.traceWithoutEffect(input, trace);
  const denial = policies.firstMatch('DENY', input, trace);
  if (denial !== undefined) return { allowed: false, policy: denial.key, reason: 'denied-by-policy' };
  if (!policies.some('ALLOW')) return allowedByDefault;
  const permit = policies.firstMatch('ALLOW', input, trace);
  return permit === undefined ? notAllowed : { allowed: true, policy: permit.key };
}

/** The policies that bear on one workload, walked without collecting them. */
class ApplicablePolicies {
  readonly #store: MeshStore;
  readonly #ofNamespace: readonly CompiledPolicy[];
  readonly #global: readonly CompiledPolicy[];
  readonly #named: readonly string[];

  constructor(
    store: MeshStore,
    ofNamespace: readonly CompiledPolicy[],
    global: readonly CompiledPolicy[],
    named: readonly string[],
  ) {
    this.#store = store;
    this.#ofNamespace = ofNamespace;
    this.#global = global;
    this.#named = named;
  }

  get #count(): number {
    return this.#ofNamespace.length + this.#global.length + this.#named.length;
  }

  #at(index: number): CompiledPolicy | undefined {
    if (index < this.#ofNamespace.length) return this.#ofNamespace[index];
    const second = index - this.#ofNamespace.length;
    if (second < this.#global.length) return this.#global[second];
    return this.#store.policies.get(this.#named[second - this.#global.length]!);
  }

  some(action: Policy['action']): boolean {
    for (let i = 0; i < this.#count; i++) {
      if (isEnforced(this.#at(i), action)) return true;
    }
    return false;
  }

  firstMatch(
    action: Policy['action'],
    input: MatchInput,
    trace?: (step: AuthorizeStep) => void,
  ): CompiledPolicy | undefined {
    for (let i = 0; i < this.#count; i++) {
      const compiled = this.#at(i);
      if (!isEnforced(compiled, action)) continue;
      const matched = compiled.matches(input);
      trace?.(policyStep(compiled, matched));
      if (matched) return compiled;
    }
    return undefined;
  }

  traceWithoutEffect(input: MatchInput, trace: (step: AuthorizeStep) => void): void {
    for (const key of this.#named) {
      if (this.#store.policies.get(key) === undefined) trace({ kind: 'missing-policy', key });
    }
    for (let i = 0; i < this.#count; i++) {
      const compiled = this.#at(i);
      if (compiled?.policy.dryRun === true) trace(policyStep(compiled, compiled.matches(input)));
    }
  }
}

function isEnforced(
  compiled: CompiledPolicy | undefined,
  action: Policy['action'],
): compiled is CompiledPolicy {
  return compiled !== undefined && compiled.policy.action === action && !compiled.policy.dryRun;
}

function policyStep({ key, policy }: CompiledPolicy, matched: boolean): AuthorizeStep {
  return { kind: 'policy', key, scope: policy.scope, action: policy.action, dryRun: policy.dryRun, matched };
}

/** A verdict and the steps that led to it, as lines for people. */
export function explainVerdict(
  verdict: Verdict,
  workload: Workload,
  connection: PolicyConnection,
  steps: readonly AuthorizeStep[] = [],
): string[] {
  const source =
    connection.principal === undefined ? 'no identity (plaintext)' : principalName(connection.principal);
  const target = formatHostPort(connection.destinationIp, connection.destinationPort);
  const lines = [
    `${source} at ${connection.sourceIp} to ${workload.namespace}/${workload.name} at ${target}`,
  ];
  for (const step of steps) {
    if (step.kind === 'missing-policy') {
      lines.push(
        `  ${step.key}: named by the workload but unknown here, skipped; check that the control plane still has it`,
      );
      continue;
    }
    const effect = step.dryRun ? 'dry run, no effect' : 'enforced';
    lines.push(
      `  ${step.action} ${step.key} (${scopeNames[step.scope]}, ${effect}): ${step.matched ? 'matches' : 'does not match'}`,
    );
  }
  lines.push(explainOutcome(verdict));
  return lines;
}

const scopeNames: Record<Policy['scope'], string> = {
  GLOBAL: 'whole mesh',
  NAMESPACE: 'namespace',
  WORKLOAD_SELECTOR: 'this workload',
};

function explainOutcome(verdict: Verdict): string {
  if (verdict.allowed) {
    return verdict.policy === undefined
      ? 'allowed: no ALLOW policy applies to the workload'
      : `allowed by ${verdict.policy}`;
  }
  return verdict.reason === 'denied-by-policy'
    ? `denied by ${String(verdict.policy)}: exempt the source in that policy if it should pass`
    : 'denied: ALLOW policies apply to the workload and none matches; add the source to one of them if it should pass';
}
