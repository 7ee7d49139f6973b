import type { Family } from '../../rules/iptables-text.ts';

/** Ways by which traffic must reach ztunnel: what the pod opens, what is opened to it in plain text and by HBONE, its DNS. */
export type ProofCheck = 'outbound' | 'inbound' | 'hbone' | 'dns';

export type ProofOutcome =
  /** ztunnel has answered, as this pod. */
  | 'answered'
  /** ztunnel has answered, as another pod. */
  | 'other-pod'
  /** A socket of a proxy has taken it (by its mark), and did not answer. */
  | 'taken'
  /** Somebody else has taken it. */
  | 'diverted'
  /** Nobody listens where it went. */
  | 'refused'
  /** Nothing has come of it. */
  | 'lost'
  /** The pod has no way out by this family. */
  | 'no-route';

/** What became of one call. */
export interface Finding {
  readonly check: ProofCheck;
  readonly family: Family;
  readonly outcome: ProofOutcome;
  /** What came instead of ztunnel's answer. */
  readonly detail?: string;
}

/** Why a pod counts as it does: the reason of its condition, and a label of metrics. Stable. */
export type ProofReason =
  | 'Proven'
  | 'OutboundNotCaptured'
  | 'InboundNotCaptured'
  | 'DnsNotCaptured'
  | 'ZtunnelNotListening'
  | 'ZtunnelNotConnected'
  | 'WrongPod'
  | 'ZtunnelSilent'
  | 'ProxyDoesNotAnswer'
  | 'InboundUnreachable'
  | 'NoRoute';

/** What the findings about a pod come to. */
export interface Verdict {
  /** `gap`: traffic does not take its way; `unproven`: it cannot be told. */
  readonly kind: 'proven' | 'gap' | 'unproven';
  readonly reason: ProofReason;
  /** For people. */
  readonly message: string;
}

/**
 * @param answers whether a ztunnel of this node has ever answered: one of another make never does
 */
export function judge(findings: readonly Finding[], answers: boolean): Verdict {
  // Nothing of UDP tells whether a question was taken: a ztunnel that hangs takes calls, and answers neither.
  const hangs = answers && findings.some(({ outcome }) => outcome === 'taken');
  const verdicts = findings.flatMap((finding) => {
    const lostIsTaken = hangs && finding.check === 'dns' && finding.outcome === 'lost';
    return judgeOne(lostIsTaken ? { ...finding, outcome: 'taken' } : finding, answers) ?? [];
  });
  const worst =
    verdicts.find(({ kind }) => kind === 'gap') ?? verdicts.find(({ kind }) => kind === 'unproven');
  if (worst !== undefined) return worst;
  if (!findings.some(({ outcome }) => outcome === 'answered'))
    return { kind: 'unproven', reason: 'NoRoute', message: 'the pod has no route to anywhere' };
  const checks = [...new Set(findings.map(({ check }) => check))].join(', ');
  return { kind: 'proven', reason: 'Proven', message: `ztunnel has answered: ${checks}` };
}

const words: Readonly<Record<ProofCheck, string>> = {
  outbound: 'what the pod opens',
  inbound: 'what is opened to the pod in plain text',
  hbone: 'what is opened to the pod by HBONE',
  dns: "the pod's DNS",
};

function judgeOne({ check, family, outcome, detail }: Finding, answers: boolean): Verdict | undefined {
  const what = `${words[check]} (IP${family})`;
  const gap = (reason: ProofReason, text: string): Verdict => ({
    kind: 'gap',
    reason,
    message: `${what} ${text}${detail === undefined ? '' : `: ${detail}`}`,
  });
  const unproven = (reason: ProofReason, text: string): Verdict => ({
    ...gap(reason, text),
    kind: 'unproven',
  });
  switch (outcome) {
    case 'answered':
    case 'no-route':
      return undefined;
    case 'other-pod':
      return gap('WrongPod', 'reaches ztunnel, which takes it for another pod');
    case 'taken':
      return answers
        ? unproven('ZtunnelSilent', 'reaches ztunnel, which does not answer in time')
        : unproven('ProxyDoesNotAnswer', 'reaches a proxy, which does not know how to prove itself');
    case 'refused':
      return check === 'inbound'
        ? gap('InboundNotCaptured', 'is refused: it is not redirected, or ztunnel does not listen')
        : gap('ZtunnelNotListening', 'comes to where nobody listens');
    case 'diverted':
      return gap(notCaptured[check], 'is taken by somebody else');
    case 'lost':
      // Between the node and a pod there may be a NetworkPolicy; inside a pod there is nothing but rules.
      return check === 'inbound' || check === 'hbone'
        ? unproven('InboundUnreachable', 'cannot be reached from the node')
        : gap(notCaptured[check], 'does not reach ztunnel');
  }
}

const notCaptured: Readonly<Record<ProofCheck, ProofReason>> = {
  outbound: 'OutboundNotCaptured',
  inbound: 'InboundNotCaptured',
  hbone: 'InboundNotCaptured',
  dns: 'DnsNotCaptured',
};
