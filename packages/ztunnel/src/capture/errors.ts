/** What about the node agent's messages makes this process end. Stable. */
export type AgentProtocolCode =
  'ZDS_ADD_WITHOUT_WORKLOAD' | 'ZDS_KEEP_AFTER_SNAPSHOT' | 'ZDS_SECOND_SNAPSHOT';

/**
 * The node agent breaks the protocol in a way after which nobody can say which pods are to be served. Going on could leave
 * pods behind unnoticed, so the process ends and starts over from a new snapshot.
 */
export class AgentProtocolError extends Error {
  readonly code: AgentProtocolCode;
  constructor(code: AgentProtocolCode, what: string) {
    super(
      `the node agent ${what}: is it of a version that fits this ztunnel? Compare the versions of both DaemonSets`,
    );
    this.name = 'AgentProtocolError';
    this.code = code;
  }
}

/** A message of the node agent that cannot be understood: this connection is given up, and another is made. */
export class AgentMessageError extends Error {
  readonly code = 'ZDS_MESSAGE';
  constructor(what: string, options?: ErrorOptions) {
    super(
      `${what}: the other side may be no node agent, or of another version; see who listens at INPOD_UDS`,
      options,
    );
    this.name = 'AgentMessageError';
  }
}

/** A pod cannot be captured now. What was made for it is taken back, and it is tried again. */
export class PodCaptureError extends Error {
  readonly code = 'POD_CAPTURE';
  /** The pod itself is the cause: that it is not served says nothing about this process. */
  readonly byPod: boolean;
  constructor(pod: string, reason: string, byPod = false) {
    super(
      byPod
        ? `pod ${pod} cannot be captured: ${reason}. Nothing in a pod of the mesh may listen on the proxy's ports (15001, 15006, 15008, 15053; with SOCKS5 15080), and its loopback needs its addresses`
        : `pod ${pod} cannot be captured: ${reason}. Does ztunnel have CAP_SYS_ADMIN and CAP_NET_ADMIN?`,
    );
    this.name = 'PodCaptureError';
    this.byPod = byPod;
  }
}

/** A pod that the agent describes in a way that would never work: it is refused, and not tried again. */
export class PodRefusedError extends Error {
  readonly code = 'POD_REFUSED';
  constructor(uid: string, field: string) {
    super(`pod ${JSON.stringify(uid)} is refused: its ${field} is empty`);
    this.name = 'PodRefusedError';
  }
}
