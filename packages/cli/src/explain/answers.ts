/* What `/explain` of a ztunnel answers; it writes more than is named here. */

export interface OutboundAnswer {
  readonly workload: string;
  readonly identity: string;
  /** Address of the client. */
  readonly sourceIp: string;
  readonly destination: string;
  readonly route: 'passthrough' | 'direct' | 'hbone' | 'double-hbone' | 'refused';
  readonly via?: string;
  readonly service?: string;
  readonly nextHop?: { readonly name: string; readonly namespace: string; readonly node: string };
  readonly dial?: string;
  readonly authority?: string;
  readonly refusal?: { readonly reason: string; readonly message: string };
  readonly lines: readonly string[];
}

export interface InboundAnswer {
  readonly workload: string;
  readonly allowed: boolean;
  readonly policy?: string;
  readonly reason?: string;
  readonly lines: readonly string[];
}

/** Both sides of one connection. */
export interface Explanation {
  readonly from: string;
  readonly to: string;
  /** Whether the source's traffic goes through its ztunnel at all. */
  readonly captured: boolean;
  readonly outbound: {
    readonly ztunnel: string;
    readonly node: string | undefined;
    readonly answer: OutboundAnswer;
  };
  /** Absent where no ztunnel decides: behind a waypoint or gateway, or outside of the mesh. */
  readonly inbound?: {
    readonly ztunnel: string;
    readonly node: string | undefined;
    readonly answer: InboundAnswer;
  };
  /** One sentence. */
  readonly outcome: string;
}

/** What becomes of the connection, in one sentence. */
export function outcomeOf(
  captured: boolean,
  outbound: OutboundAnswer,
  inbound: InboundAnswer | undefined,
): string {
  if (captured && outbound.route === 'refused')
    return `refused at the source: ${outbound.refusal?.reason ?? ''}`;
  const way = captured ? ways[outbound.route] : 'plain TCP, since the source is not in the mesh';
  if (inbound === undefined) {
    if (!captured || outbound.route === 'passthrough' || outbound.route === 'direct')
      return `${way}; no ztunnel decides at the destination`;
    return `${way} to ${outbound.nextHop?.name ?? 'a gateway'}, which decides what comes behind it`;
  }
  if (inbound.allowed)
    return `${way}; allowed ${inbound.policy === undefined ? 'since no ALLOW policy applies' : `by ${inbound.policy}`}`;
  return `${way}; denied at the destination: ${inbound.policy ?? inbound.reason ?? ''}`;
}

const ways: Readonly<Record<OutboundAnswer['route'], string>> = {
  passthrough: 'plain TCP, as dialled',
  direct: 'plain TCP, since the destination takes no HBONE',
  hbone: 'HBONE',
  'double-hbone': 'HBONE inside HBONE',
  refused: 'refused',
};

export function formatExplanation(explanation: Explanation): string {
  const { from, to, captured, outbound, inbound, outcome } = explanation;
  const side = (title: string, lines: readonly string[]): string =>
    `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
  const at = ({ ztunnel, node }: { ztunnel: string; node: string | undefined }): string =>
    node === undefined ? ztunnel : `${ztunnel}, node ${node}`;
  return [
    `${from} (${outbound.answer.identity}) to ${to}\n\n`,
    captured
      ? ''
      : 'The source is not captured: its node agent has put no redirection into it. As it would be if it were:\n',
    side(`source, ${at(outbound)}`, outbound.answer.lines),
    inbound === undefined ? '' : `\n${side(`destination, ${at(inbound)}`, inbound.answer.lines)}`,
    `\n${outcome}\n`,
  ].join('');
}
