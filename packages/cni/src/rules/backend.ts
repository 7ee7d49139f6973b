import type { NetworkNamespace } from '@ambient/linux';
import type { PodCapture } from './pod-capture.ts';

/** One way to keep packet rules in a namespace. All of it is idempotent, and exact: other people's rules stay. */
export interface RuleBackend {
  /** For logs: `nft`, `iptables-nft`, `iptables-legacy`, `iptables`. */
  readonly name: string;
  /** Puts the pod's rules in place of whatever is there of ours. @throws RulesError */
  install(namespace: NetworkNamespace, capture: PodCapture): Promise<void>;
  /** Removes what is there of ours. @throws RulesError */
  uninstall(namespace: NetworkNamespace): Promise<void>;
  /** What is there of ours, a line each, in the tools' own spelling; equal lists are equal rules. @throws RulesError */
  list(namespace: NetworkNamespace, capture: PodCapture): Promise<readonly string[]>;
}
