import { CompiledPolicy } from './compile-policy.ts';
import type { Policy } from './types.ts';

const none: readonly CompiledPolicy[] = [];

/** Policies by key and by reach. Those of scope WORKLOAD_SELECTOR are reached only by the keys that a workload names. */
export class PolicyIndex {
  readonly #byKey = new Map<string, CompiledPolicy>();
  readonly #byNamespace = new Map<string, readonly CompiledPolicy[]>();
  #global: readonly CompiledPolicy[] = none;

  /** Returns false if an equal policy is in force already. */
  set(key: string, policy: Policy): boolean {
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (JSON.stringify(known.policy) === JSON.stringify(policy)) return false;
      this.#unlist(known);
    }
    const compiled = new CompiledPolicy(key, policy);
    this.#byKey.set(key, compiled);
    if (policy.scope === 'GLOBAL') this.#global = [...this.#global, compiled];
    if (policy.scope === 'NAMESPACE') {
      this.#byNamespace.set(policy.namespace, [...this.inNamespace(policy.namespace), compiled]);
    }
    return true;
  }

  /** Returns false if there is no such policy. */
  remove(key: string): boolean {
    const known = this.#byKey.get(key);
    if (known === undefined) return false;
    this.#byKey.delete(key);
    this.#unlist(known);
    return true;
  }

  get(key: string): CompiledPolicy | undefined {
    return this.#byKey.get(key);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Policies of scope NAMESPACE. */
  inNamespace(namespace: string): readonly CompiledPolicy[] {
    return this.#byNamespace.get(namespace) ?? none;
  }

  get global(): readonly CompiledPolicy[] {
    return this.#global;
  }

  values(): IterableIterator<CompiledPolicy> {
    return this.#byKey.values();
  }

  #unlist(compiled: CompiledPolicy): void {
    const { scope, namespace } = compiled.policy;
    if (scope === 'GLOBAL') this.#global = this.#global.filter((other) => other !== compiled);
    if (scope === 'NAMESPACE') {
      const rest = this.inNamespace(namespace).filter((other) => other !== compiled);
      if (rest.length === 0) this.#byNamespace.delete(namespace);
      else this.#byNamespace.set(namespace, rest);
    }
  }
}
