import { join } from 'node:path';
import { NetworkNamespace } from '@ambient/linux';
import type { Logger } from '@ambient/runtime';
import type { HostRuleApplier } from '../rules/host-applier.ts';
import { PodRuleApplier } from '../rules/pod-applier.ts';
import type { ProbeAddress } from '../rules/pod-capture.ts';
import { chooseBackend, makeBackend, makeHostRules, probeNode } from '../rules/probe.ts';
import type { AgentSettings } from './settings/settings.ts';

/** How rules are set on this node. */
export interface RulesOfNode extends Disposable {
  /** The node's own namespace; undefined: the agent runs in it. */
  readonly node: NetworkNamespace | undefined;
  /** Of pods. */
  readonly rules: PodRuleApplier;
  /** Of the node itself. */
  readonly hostRules: HostRuleApplier;
  readonly probeAddress: ProbeAddress;
  /** The kernel counts the changes of a namespace's rules, so that they are read only when there was one. */
  readonly countsChanges: boolean;
}

/**
 * Finds out what works on this node, and says so.
 * @throws RulesError ERR_RULES_UNSUPPORTED; SystemError when the node's namespace cannot be opened
 */
export async function openRulesOfNode(
  { ambient, paths }: Pick<AgentSettings, 'ambient' | 'paths'>,
  log: Logger,
): Promise<RulesOfNode> {
  const { ipv6, nativeNftables, kubeletUid } = ambient;
  const probeAddress = { v4: ambient.probeAddressV4, v6: ambient.probeAddressV6 };
  const node = paths.switchToHost ? NetworkNamespace.open(join(paths.proc, '1/ns/net')) : undefined;
  try {
    const backend = chooseBackend(await probeNode(node, ipv6), { nativeNftables, ipv6 });
    log.info('rules are set with', { backend, ipv6 });
    return {
      node,
      rules: new PodRuleApplier(makeBackend(backend, ipv6), ipv6),
      hostRules: makeHostRules(backend, { namespace: node, ipv6, probeAddress }, kubeletUid),
      probeAddress,
      countsChanges: backend === 'nft' || backend === 'iptables-nft',
      [Symbol.dispose]: () => node?.close(),
    };
  } catch (error) {
    node?.close();
    throw error;
  }
}
