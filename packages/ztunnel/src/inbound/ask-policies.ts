import { authorize, explainVerdict } from '@ambient/mesh';
import type { AuthorizeStep, PolicyConnection, Verdict, Workload } from '@ambient/mesh';
import type { WorkerContext } from '../worker/context.ts';

type PolicyStep = Extract<AuthorizeStep, { kind: 'policy' }>;

/** Workloads whose unknown policies have been warned of; an update of the workload makes another object. */
const warned = new WeakSet<Workload>();

/**
 * Asks the policies about a new connection, and tells operators what goes beyond the verdict: what policies in dry run
 * would have changed, policies that a workload names and nobody knows, and, at level debug or by AUTHZ_POLICY_INFO_LOGGING
 * at level info, how the verdict came about.
 */
export function askPolicies(
  context: Pick<WorkerContext, 'store' | 'settings' | 'policyLog'>,
  workload: Workload,
  question: PolicyConnection,
): Verdict {
  const { store, policyLog: log } = context;
  const steps: AuthorizeStep[] = [];
  const verdict = authorize(store, workload, question, (step) => steps.push(step));
  if (steps.length > 0) {
    tellDryRun(context, workload, question, verdict, steps);
    tellMissing(context, workload, steps);
  }
  const level = context.settings.authzPolicyInfoLogging ? 'info' : 'debug';
  if (log.enabled(level)) {
    const [connection, ...how] = explainVerdict(verdict, workload, question, steps);
    log.log(level, 'policies asked', {
      connection,
      verdict: how.pop(),
      steps: how.length === 0 ? undefined : how.map((line) => line.trim()).join('; '),
    });
  }
  return verdict;
}

function tellDryRun(
  { policyLog: log }: Pick<WorkerContext, 'policyLog'>,
  workload: Workload,
  question: PolicyConnection,
  verdict: Verdict,
  steps: readonly AuthorizeStep[],
): void {
  const change = dryRunChange(verdict, steps);
  if (change === undefined) return;
  const [connection] = explainVerdict(verdict, workload, question);
  const policies = change.policies.join(', ');
  log.info(`policies in dry run would ${change.would} a connection`, { connection, policies });
}

/** What would be different if the policies in dry run were enforced; undefined: nothing. */
function dryRunChange(
  verdict: Verdict,
  steps: readonly AuthorizeStep[],
): { readonly would: 'allow' | 'deny'; readonly policies: readonly string[] } | undefined {
  const tried = steps.filter((step): step is PolicyStep => step.kind === 'policy' && step.dryRun);
  if (tried.length === 0) return undefined;
  const keys = (of: readonly PolicyStep[]): string[] => of.map(({ key }) => key);
  const denying = tried.filter(({ action, matched }) => action === 'DENY' && matched);
  const allows = tried.filter(({ action }) => action === 'ALLOW');
  const allowing = allows.filter(({ matched }) => matched);
  if (verdict.allowed) {
    if (denying.length > 0) return { would: 'deny', policies: keys(denying) };
    // With an ALLOW policy in force, another one can only admit more.
    const first = verdict.policy === undefined && allows.length > 0 && allowing.length === 0;
    return first ? { would: 'deny', policies: keys(allows) } : undefined;
  }
  const missed = verdict.reason === 'not-allowed-by-any-policy';
  if (!missed || denying.length > 0 || allowing.length === 0) return undefined;
  return { would: 'allow', policies: keys(allowing) };
}

function tellMissing(
  { policyLog: log }: Pick<WorkerContext, 'policyLog'>,
  workload: Workload,
  steps: readonly AuthorizeStep[],
): void {
  const missing = steps.filter(({ kind }) => kind === 'missing-policy').map(({ key }) => key);
  if (missing.length === 0 || warned.has(workload)) return;
  warned.add(workload);
  log.warn('a workload names policies that are not known here, and is served without them', {
    workload: `${workload.namespace}/${workload.name}`,
    policies: missing.join(', '),
  });
}
