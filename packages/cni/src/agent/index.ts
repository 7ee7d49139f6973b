// Public surface of @ambient/cni/agent: the node agent, whole.
export { startAgent } from './app.ts';
export type { Agent, AgentOptions } from './app.ts';
export { loadAgentSettings } from './settings/settings.ts';
export type { AgentSettings } from './settings/settings.ts';
export { REDIRECTION_ANNOTATION } from './pods/wish.ts';
