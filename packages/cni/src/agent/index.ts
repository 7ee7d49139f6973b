// Public surface of @ambient/cni/agent: the node agent, whole.
export { startAgent } from './app.ts';
export type { Agent, AgentOptions } from './app.ts';
export { loadAgentSettings } from './settings/settings.ts';
export type { AgentSettings } from './settings/settings.ts';
export { REDIRECTION_ANNOTATION } from './pods/wish.ts';
export { RuleGenerations } from './drift/rule-generations.ts';
export type { Finding, ProofReason, Verdict } from './proof/findings.ts';
export { judge } from './proof/findings.ts';
export type { PodToProve } from './proof/pod-calls.ts';
export { PodCalls } from './proof/pod-calls.ts';
