import type { NetworkNamespace } from '@ambient/linux';
import type { RuleBackend } from './backend.ts';
import { runCommand } from './commands.ts';
import { ownLinesAsText, readOwnLines, renderRestore } from './iptables-plan.ts';
import { iptablesPodTables } from './iptables-text.ts';
import type { Family, IptablesTable } from './iptables-text.ts';
import type { PodCapture } from './pod-capture.ts';

export type IptablesVariant = 'iptables-nft' | 'iptables-legacy' | 'iptables';

const families: readonly Family[] = ['v4', 'v6'];
/** iptables-legacy has one lock for the whole machine: seconds to wait for it. */
const LOCK_WAIT_SECONDS = 5;

/** Rules kept by one of the variants of iptables. */
export class IptablesBackend implements RuleBackend {
  readonly name: IptablesVariant;
  readonly #ipv6: boolean;

  /** @param ipv6 whether the agent cares for IPv6 at all: false on kernels without ip6tables */
  constructor(variant: IptablesVariant, ipv6: boolean) {
    this.name = variant;
    this.#ipv6 = ipv6;
  }

  async install(namespace: NetworkNamespace, capture: PodCapture): Promise<void> {
    for (const family of this.#families)
      await this.#replace(
        `set the ${this.#tool(family)} rules`,
        namespace,
        family,
        family === 'v6' && !capture.ipv6 ? [] : iptablesPodTables(capture, family),
      );
  }

  async uninstall(namespace: NetworkNamespace): Promise<void> {
    for (const family of this.#families)
      await this.#replace(`remove the ${this.#tool(family)} rules`, namespace, family, []);
  }

  async list(namespace: NetworkNamespace): Promise<readonly string[]> {
    const lists = this.#families.map(async (family) =>
      ownLinesAsText(readOwnLines(await this.#save(namespace, family))).map((line) => `${family} ${line}`),
    );
    return (await Promise.all(lists)).flat();
  }

  /** Leaves exactly `wanted` of ours in a namespace; default the agent's own. @throws RulesError */
  async #replace(
    step: string,
    namespace: NetworkNamespace,
    family: Family,
    wanted: readonly IptablesTable[],
  ): Promise<void> {
    const input = renderRestore(readOwnLines(await this.#save(namespace, family)), wanted);
    if (input === '') return;
    const wait = ['--wait', String(LOCK_WAIT_SECONDS)];
    await runCommand(step, [`${this.#tool(family)}-restore`, '--noflush', ...wait], { namespace, input });
  }

  #save(namespace: NetworkNamespace, family: Family): Promise<string> {
    const tool = this.#tool(family);
    return runCommand(`list the ${tool} rules`, [`${tool}-save`], { namespace });
  }

  get #families(): readonly Family[] {
    return this.#ipv6 ? families : ['v4'];
  }

  #tool(family: Family): string {
    return family === 'v4' ? this.name : this.name.replace('ip', 'ip6');
  }
}
