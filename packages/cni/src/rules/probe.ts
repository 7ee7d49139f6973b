import { NetworkNamespace } from '@ambient/linux';
import type { RuleBackend } from './backend.ts';
import { runCommand } from './commands.ts';
import { RulesError } from './errors.ts';
import { HostRuleApplier } from './host-applier.ts';
import type { HostRuleOptions } from './host-applier.ts';
import { probeSets } from './host-rules.ts';
import { IptablesBackend } from './iptables-backend.ts';
import type { IptablesVariant } from './iptables-backend.ts';
import { NftBackend } from './nft-backend.ts';
import { standardProbeAddress } from './pod-capture.ts';
import type { PodCapture } from './pod-capture.ts';

export type BackendName = 'nft' | IptablesVariant;

/** What one back end was found to be able to. */
export interface BackendFinding {
  readonly name: BackendName;
  /** Why it does not work here, in the tool's words; undefined: all of the rules could be set and removed. */
  readonly failure: string | undefined;
  /** Rules that others keep with it on the node: a variant that is in use is the one to use. */
  readonly rulesOfOthers: number;
}

export interface NodeFindings {
  readonly backends: readonly BackendFinding[];
  /** The node has sets of an agent that works with iptables: its rules are there, too. */
  readonly iptablesSets: boolean;
}

export interface BackendWish {
  /** Prefer nftables to iptables (NATIVE_NFTABLES). */
  readonly nativeNftables: boolean;
  readonly ipv6: boolean;
}

/** All that any pod may ask for: what works for this works for every pod. */
function everything(ipv6: boolean): PodCapture {
  return { ipv6, inbound: true, dns: true, virtualInterfaces: ['vm0'], probeAddress: standardProbeAddress };
}

const iptablesVariants: readonly IptablesVariant[] = ['iptables-nft', 'iptables-legacy', 'iptables'];

/**
 * Tries each back end for what it is needed for: sets and removes all kinds of rules, of pods and of the node, in a
 * namespace that nobody uses.
 * @param host the node's namespace; undefined: the agent runs in it
 */
export async function probeNode(host: NetworkNamespace | undefined, ipv6: boolean): Promise<NodeFindings> {
  const backends: RuleBackend[] = [
    new NftBackend(),
    ...iptablesVariants.map((name) => new IptablesBackend(name, ipv6)),
  ];
  const findings = await Promise.all(
    backends.map(async (backend): Promise<BackendFinding> => {
      const name = backend.name as BackendName;
      const failure = await tryOut(backend, ipv6);
      if (failure !== undefined || name === 'nft') return { name, failure, rulesOfOthers: 0 };
      try {
        return { name, failure, rulesOfOthers: await countRules(name, host) };
      } catch (error) {
        // Root of a user namespace may set rules of the old tables, and not read which tables there are.
        if (error instanceof RulesError) return { name, failure: error.message, rulesOfOthers: 0 };
        throw error;
      }
    }),
  );
  return { backends: findings, iptablesSets: await hasSets(host) };
}

/**
 * Which back end to use. iptables and nftables can live side by side, but a node is best kept by one of them: so the
 * variant of iptables that others have rules in goes first, and nftables steps back where an agent has worked with iptables.
 * @throws RulesError ERR_RULES_UNSUPPORTED when none works, with each one's reason and the kernel modules that are needed
 */
export function chooseBackend(findings: NodeFindings, wish: BackendWish): BackendName {
  const working = findings.backends.filter(({ failure }) => failure === undefined);
  const iptables = working
    .filter(({ name }) => name !== 'nft')
    .sort((a, b) => b.rulesOfOthers - a.rulesOfOthers)[0]?.name;
  const nft = working.find(({ name }) => name === 'nft')?.name;
  const native = wish.nativeNftables && !findings.iptablesSets;
  const chosen = native ? (nft ?? iptables) : (iptables ?? nft);
  if (chosen !== undefined) return chosen;
  const reasons = findings.backends.map(({ name, failure }) => `${name}: ${failure}`).join('; ');
  throw new RulesError(
    'ERR_RULES_UNSUPPORTED',
    `no way to set rules works on this node. ${reasons}. Load the kernel modules, on the node: ` +
      'modprobe -a nf_tables nft_ct nft_redir nft_chain_nat (for nftables), or ip_tables iptable_nat iptable_mangle ' +
      'iptable_raw xt_REDIRECT xt_CT xt_mark xt_connmark xt_owner xt_set ip_set_hash_ip (for iptables)' +
      (wish.ipv6 ? '; on a kernel without IPv6, set AMBIENT_IPV6=false' : ''),
  );
}

/** The back end of that name. */
export function makeBackend(name: BackendName, ipv6: boolean): RuleBackend {
  return name === 'nft' ? new NftBackend() : new IptablesBackend(name, ipv6);
}

/** The node's own rules by the back end of that name. @param kubeletUid user of the node's kubelet, for nftables */
export function makeHostRules(name: BackendName, options: HostRuleOptions, kubeletUid = 0): HostRuleApplier {
  return name === 'nft'
    ? HostRuleApplier.nft({ ...options, kubeletUid })
    : HostRuleApplier.iptables(name, options);
}

async function tryOut(backend: RuleBackend, ipv6: boolean): Promise<string | undefined> {
  try {
    using scratch = NetworkNamespace.create();
    const capture = everything(ipv6);
    await backend.install(scratch, capture);
    const rules = await backend.list(scratch, capture);
    await backend.uninstall(scratch);
    const host = makeHostRules(backend.name as BackendName, {
      namespace: scratch,
      ipv6,
      probeAddress: standardProbeAddress,
    });
    await host.replace([{ ip: '192.0.2.1', uid: 'probe' }]);
    await host.uninstall();
    return rules.length > 0 ? undefined : 'rules that were set are not there';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function countRules(variant: string, namespace: NetworkNamespace | undefined): Promise<number> {
  const saved = await runCommand(`count the rules of ${variant}`, [`${variant}-save`], { namespace });
  return saved.split('\n').filter((line) => line.startsWith('-A ')).length;
}

async function hasSets(namespace: NetworkNamespace | undefined): Promise<boolean> {
  try {
    const names = await runCommand('list the sets of addresses', ['ipset', 'list', '-name'], { namespace });
    return names.split('\n').some((name) => name === probeSets.v4 || name === probeSets.v6);
  } catch (error) {
    // Without ipset(8) there can be no sets of its making, and iptables fails for other reasons.
    if (error instanceof RulesError) return false;
    throw error;
  }
}
