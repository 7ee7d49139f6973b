import { expect } from 'chai';
import type { Finding, ProofCheck, ProofOutcome } from './findings.ts';
import { judge } from './findings.ts';

const found = (check: ProofCheck, outcome: ProofOutcome): Finding => ({ check, family: 'v4', outcome });

describe('verdict about a pod', () => {
  const cases: readonly (readonly [string, readonly Finding[], string])[] = [
    ['everything answers', [found('outbound', 'answered'), found('dns', 'answered')], 'proven Proven'],
    ['nobody listens', [found('outbound', 'refused')], 'gap ZtunnelNotListening'],
    ['what the pod opens leaves it', [found('outbound', 'lost')], 'gap OutboundNotCaptured'],
    ['another has taken it', [found('outbound', 'diverted')], 'gap OutboundNotCaptured'],
    ["the pod's own stack refuses", [found('inbound', 'refused')], 'gap InboundNotCaptured'],
    ['the node does not reach the pod', [found('inbound', 'lost')], 'unproven InboundUnreachable'],
    ['DNS goes elsewhere', [found('dns', 'diverted')], 'gap DnsNotCaptured'],
    ['ztunnel takes the pod for another', [found('hbone', 'other-pod')], 'gap WrongPod'],
    ['ztunnel hangs', [found('outbound', 'taken')], 'unproven ZtunnelSilent'],
    [
      'ztunnel hangs, and so takes questions that nobody answers',
      [found('outbound', 'taken'), found('inbound', 'taken'), found('dns', 'lost')],
      'unproven ZtunnelSilent',
    ],
    ['there is no way out', [found('outbound', 'no-route')], 'unproven NoRoute'],
    [
      'a gap counts more than what cannot be told',
      [found('inbound', 'lost'), found('outbound', 'answered'), found('dns', 'lost')],
      'gap DnsNotCaptured',
    ],
  ];
  for (const [title, findings, expected] of cases)
    it(title, () => {
      const { kind, reason } = judge(findings, true);
      expect(`${kind} ${reason}`).to.equal(expected);
    });

  it('says of a proxy that never answers that it does not, and calls it no gap', () => {
    expect(judge([found('outbound', 'taken')], false)).to.include({
      kind: 'unproven',
      reason: 'ProxyDoesNotAnswer',
    });
  });
});
