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
/** Lines that no rule is: between what the tools print, and behind what they read. */
const END_OF_OUTPUT = '# ambient: end of output';
const END_OF_INPUT = 'AMBIENT_END_OF_INPUT';

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
    await this.#replace('set the rules', namespace, (family) =>
      family === 'v6' && !capture.ipv6 ? [] : iptablesPodTables(capture, family),
    );
  }

  async uninstall(namespace: NetworkNamespace): Promise<void> {
    await this.#replace('remove the rules', namespace, () => []);
  }

  async list(namespace: NetworkNamespace): Promise<readonly string[]> {
    const saved = await this.#save(namespace);
    return this.#families.flatMap((family) =>
      ownLinesAsText(readOwnLines(saved.get(family)!)).map((line) => `${family} ${line}`),
    );
  }

  /** Leaves exactly `wanted` of ours in a namespace. @throws RulesError */
  async #replace(
    step: string,
    namespace: NetworkNamespace,
    wanted: (family: Family) => readonly IptablesTable[],
  ): Promise<void> {
    const saved = await this.#save(namespace);
    const restores = this.#families.flatMap((family) => {
      const input = renderRestore(readOwnLines(saved.get(family)!), wanted(family));
      const command = `${this.#tool(family)}-restore --noflush --wait ${LOCK_WAIT_SECONDS}`;
      return input === ''
        ? []
        : `${command} <<'${END_OF_INPUT}'\n${input.replace(/\n?$/, '\n')}${END_OF_INPUT}\n`;
    });
    if (restores.length > 0) await this.#script(step, namespace, restores);
  }

  async #save(namespace: NetworkNamespace): Promise<ReadonlyMap<Family, string>> {
    const families = this.#families;
    const commands = families.map((family) => `${this.#tool(family)}-save\necho '${END_OF_OUTPUT}'\n`);
    const parts = (await this.#script('list the rules', namespace, commands)).split(`${END_OF_OUTPUT}\n`);
    return new Map(families.map((family, index) => [family, parts[index] ?? '']));
  }

  /**
   * Runs commands one after the other until one fails. They are given to one shell, since to start a program costs this
   * process, which is large, much more than it costs a shell.
   */
  #script(step: string, namespace: NetworkNamespace, commands: readonly string[]): Promise<string> {
    return runCommand(`${step} by ${this.name}`, ['sh', '-e'], { namespace, input: commands.join('') });
  }

  get #families(): readonly Family[] {
    return this.#ipv6 ? families : ['v4'];
  }

  #tool(family: Family): string {
    return family === 'v4' ? this.name : this.name.replace('ip', 'ip6');
  }
}
