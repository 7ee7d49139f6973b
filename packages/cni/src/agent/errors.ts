/** Why the agent could not do what it was asked for. Stable. */
export type AgentErrorCode =
  | 'ERR_AGENT_NETNS'
  | 'ERR_AGENT_POD_UNKNOWN'
  | 'ERR_AGENT_STARTING'
  | 'ERR_AGENT_GIVEN_UP'
  | 'ERR_AGENT_LEAVING'
  | 'ERR_AGENT_LISTEN';

const remedies: Readonly<Record<AgentErrorCode, string>> = {
  ERR_AGENT_NETNS:
    "see whether the node's /proc and /var/run/netns are mounted into the agent (HOST_ROOT), and whether the pod still runs",
  ERR_AGENT_POD_UNKNOWN:
    'see whether the API server is reached from this node; the container runtime tries again',
  ERR_AGENT_STARTING:
    'the agent has not read its pods yet: see whether the API server is reached from this node',
  ERR_AGENT_GIVEN_UP: 'the plugin no longer waits: the container runtime starts the pod anew',
  ERR_AGENT_LEAVING:
    'the agent is being uninstalled: the container runtime starts the pod anew, outside of the mesh',
  ERR_AGENT_LISTEN:
    'another agent may run on this node, or the directory is not mounted: change the setting or stop it',
};

/** The text names the pod or the file, and what an operator can do. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, what: string, options?: ErrorOptions) {
    super(`${what} (${remedies[code]})`, options);
    this.code = code;
  }
}
