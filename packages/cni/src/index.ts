// Public surface of @ambient/cni: the node agent's parts.
export { ZdsError } from './zds/errors.ts';
export type { ZdsErrorCode } from './zds/errors.ts';
export { ZdsServer } from './zds/server.ts';
export type { ZdsPod, ZdsServerOptions } from './zds/server.ts';

export type { RuleBackend } from './rules/backend.ts';
export { RulesError } from './rules/errors.ts';
export type { RulesErrorCode } from './rules/errors.ts';
export type { ProbedAddress } from './rules/host-rules.ts';
export { PodRuleApplier } from './rules/pod-applier.ts';
export type { Drift } from './rules/pod-applier.ts';
export { captureAnnotations, podCapture, standardProbeAddress } from './rules/pod-capture.ts';
export type { AnnotationProblem, CaptureDefaults, PodCapture, ProbeAddress } from './rules/pod-capture.ts';
export { chooseBackend, makeBackend, makeHostRules, probeNode } from './rules/probe.ts';
export type { BackendFinding, BackendName, BackendWish, NodeFindings } from './rules/probe.ts';

export { ReplaceFileError } from './conflist/errors.ts';
export type { ConflistErrorCode } from './conflist/errors.ts';
export { PluginInstaller } from './conflist/installer.ts';

export { standardSelectors } from './eligibility.ts';
export type {
  EnablementSelector,
  Enrolment,
  EnrolmentFacts,
  EnrolmentSettings,
  NotEnrolledReason,
} from './eligibility.ts';
