import type { ServiceRules } from './node-rules.ts';

/**
 * Which Service has which address and port. Two that ask for the same one (an external address, a node port that was written
 * by hand) would make nft refuse all changes: the first has it, the second does without until the first lets go.
 */
export class ElementClaims {
  readonly #holders = new Map<string, string>();
  readonly #waiting = new Map<string, Set<string>>();

  /**
   * The rules without the elements that others hold.
   *
   * @param before what the Service held until now
   * @returns also what was refused, and which Services may try again since something was let go
   */
  claim(
    service: string,
    before: ServiceRules,
    wanted: ServiceRules,
  ): {
    readonly rules: ServiceRules;
    readonly refused: readonly string[];
    readonly freed: readonly string[];
  } {
    const freed = new Set<string>();
    for (const element of before.elements.keys()) {
      if (wanted.elements.has(element)) continue;
      this.#holders.delete(element);
      for (const other of this.#waiting.get(element) ?? []) freed.add(other);
      this.#waiting.delete(element);
    }
    const refused: string[] = [];
    const elements = new Map<string, string>();
    for (const [element, verdict] of wanted.elements) {
      const holder = this.#holders.get(element);
      if (holder === undefined || holder === service) {
        this.#holders.set(element, service);
        elements.set(element, verdict);
        continue;
      }
      refused.push(`${element} of ${holder}`);
      let waiting = this.#waiting.get(element);
      if (waiting === undefined) this.#waiting.set(element, (waiting = new Set<string>()));
      waiting.add(service);
    }
    return {
      rules: refused.length === 0 ? wanted : { ...wanted, elements },
      refused,
      freed: [...freed],
    };
  }
}
