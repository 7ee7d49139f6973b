import { isIP } from 'node:net';
import type { NetworkNamespace } from '@ambient/linux';
import { ChangeQueue } from './change-queue.ts';
import { runCommand } from './commands.ts';
import { RulesError } from './errors.ts';
import type { ProbedAddress } from './host-rules.ts';
import * as rules from './host-rules.ts';
import type { IptablesVariant } from './iptables-backend.ts';
import { readOwnLines, renderRestore } from './iptables-plan.ts';
import type { Family } from './iptables-text.ts';
import type { ProbeAddress } from './pod-capture.ts';

export interface HostRuleOptions {
  /** The node's namespace; undefined: the agent runs in it. */
  readonly namespace: NetworkNamespace | undefined;
  readonly ipv6: boolean;
  readonly probeAddress: ProbeAddress;
}

/** How the node's rules are kept. */
interface HostBackend {
  /** The rule, and exactly these members. */
  replace(members: readonly ProbedAddress[]): Promise<void>;
  /** All of these, in their order, or none. */
  change(changes: readonly MemberChange[]): Promise<void>;
  uninstall(): Promise<void>;
}

/** An address that probes may pass to, or may no more. */
type MemberChange =
  { readonly kind: 'add'; readonly member: ProbedAddress } | { readonly kind: 'remove'; readonly ip: string };

/**
 * The node's own rule for probes, and the addresses that it is for. An address belongs to the pod that had it last: a pod
 * that goes does not take away what a new one has got already.
 */
export class HostRuleApplier {
  readonly #backend: HostBackend;
  readonly #ipv6: boolean;
  readonly #owners = new Map<string, string>();
  readonly #changes: ChangeQueue<MemberChange>;

  static nft(options: HostRuleOptions & { readonly kubeletUid: number }): HostRuleApplier {
    return new HostRuleApplier(nftBackend(options), options.ipv6);
  }

  static iptables(variant: IptablesVariant, options: HostRuleOptions): HostRuleApplier {
    return new HostRuleApplier(iptablesBackend(variant, options), options.ipv6);
  }

  private constructor(backend: HostBackend, ipv6: boolean) {
    this.#backend = backend;
    this.#ipv6 = ipv6;
    this.#changes = new ChangeQueue((changes) => backend.change(changes));
  }

  /** Sets the rule, with exactly these members, at once: no probe is lost on the way. @throws RulesError */
  async replace(members: readonly ProbedAddress[]): Promise<void> {
    const served = members.filter(({ ip }) => this.#serves(ip));
    await this.#backend.replace(served);
    this.#owners.clear();
    for (const { ip, uid } of served) this.#owners.set(ip, uid);
  }

  /** @throws RulesError */
  async add(member: ProbedAddress): Promise<void> {
    if (!this.#serves(member.ip)) return;
    await this.#changes.push({ kind: 'add', member });
    this.#owners.set(member.ip, member.uid);
  }

  /** Removes an address that is still this pod's. @throws RulesError */
  async remove({ ip, uid }: ProbedAddress): Promise<void> {
    if (this.#owners.get(ip) !== uid) return;
    this.#owners.delete(ip);
    await this.#changes.push({ kind: 'remove', ip });
  }

  /** Where IPv6 is none of the agent's business, a pod may have such an address all the same. */
  #serves(ip: string): boolean {
    requireAddress(ip);
    return this.#ipv6 || rules.familyOf(ip) === 'v4';
  }

  /** Leaves nothing. @throws RulesError */
  async uninstall(): Promise<void> {
    this.#owners.clear();
    await this.#backend.uninstall();
  }
}

function nftBackend(options: HostRuleOptions & { readonly kubeletUid: number }): HostBackend {
  const { namespace, ipv6, probeAddress, kubeletUid } = options;
  const uids = { kubelet: kubeletUid, agent: process.getuid!() };
  const nft = async (step: string, input: string): Promise<void> => {
    await runCommand(step, ['nft', '-f', '-'], { namespace, input });
  };
  return {
    replace: (members) =>
      nft("set the node's rule for probes", rules.renderNftHostTable(probeAddress, uids, ipv6, members)),
    change: (changes) =>
      nft(
        stepOf(changes),
        changes
          .map((each) =>
            each.kind === 'add' ? rules.renderNftAddition(each.member) : rules.renderNftSetRemoval(each.ip),
          )
          .join(''),
      ),
    uninstall: () => nft("remove the node's rule for probes", rules.renderNftHostRemoval()),
  };
}

function iptablesBackend(variant: IptablesVariant, options: HostRuleOptions): HostBackend {
  const { namespace, ipv6, probeAddress } = options;
  const families: readonly Family[] = ipv6 ? ['v4', 'v6'] : ['v4'];
  const ipset = async (step: string, input: string): Promise<void> => {
    await runCommand(step, ['ipset', '-exist', 'restore'], { namespace, input });
  };
  const restore = async (family: Family, step: string, wanted: boolean): Promise<void> => {
    const tool = family === 'v4' ? variant : variant.replace('ip', 'ip6');
    const saved = await runCommand(`${step}: list`, [`${tool}-save`], { namespace });
    const input = renderRestore(readOwnLines(saved), wanted ? rules.hostTables(probeAddress, family) : []);
    if (input !== '')
      await runCommand(step, [`${tool}-restore`, '--noflush', '--wait', '5'], { namespace, input });
  };
  return {
    async replace(members) {
      for (const family of families) {
        const own = members.filter(({ ip }) => rules.familyOf(ip) === family);
        await ipset("set the node's probed addresses", rules.renderSetReplacement(family, own));
        await restore(family, `set the node's rule for probes (IP${family})`, true);
      }
    },
    change: (changes) =>
      ipset(
        stepOf(changes),
        changes
          .map((each) =>
            each.kind === 'add' ? rules.renderSetAddition(each.member) : rules.renderSetRemoval(each.ip),
          )
          .join(''),
      ),
    async uninstall() {
      for (const family of families) {
        // A set cannot go while a rule refers to it.
        await restore(family, `remove the node's rule for probes (IP${family})`, false);
        // To destroy what is not there is an error, to create what is there is not.
        const input = `${rules.renderSetCreation(family)}destroy ${rules.probeSets[family]}\n`;
        await ipset("remove the node's probed addresses", input);
      }
    },
  };
}

function stepOf(changes: readonly MemberChange[]): string {
  const [first] = changes;
  const what = first?.kind === 'add' ? `let probes of ${first.member.ip} pass` : `forget ${first?.ip}`;
  return changes.length > 1 ? `${what}, and ${changes.length - 1} more` : what;
}

/** An address goes into the input of a tool, where anything else would be syntax. */
function requireAddress(ip: string): void {
  if (isIP(ip) === 0)
    throw new RulesError(
      'ERR_RULES_STEP',
      `${JSON.stringify(ip)} is no IP address; see the pod's status.podIPs`,
    );
}
