import { Backoff, realClock, RetryTimer } from '@ambient/runtime';
import type { Logger } from '@ambient/runtime';
import type { NetworkNamespace } from '@ambient/linux';

import { runInNamespace } from '../commands.ts';
import type { ServiceEntry } from '../service-directory.ts';
import { ElementClaims } from './element-claims.ts';
import { noRules, serviceRules } from './node-rules.ts';
import type { ServiceRules } from './node-rules.ts';
import { renderChange, renderTable } from './nft-table.ts';
import { proxiedPorts } from './service-ports.ts';
import type { ProxiedPort } from './service-ports.ts';
import { staleFlows } from './stale-flows.ts';

export interface NodeProxyOptions {
  readonly nodeName: string;
  readonly namespace: NetworkNamespace;
  readonly podPrefixes: readonly string[];
  /** Keys of all Services. */
  readonly keys: () => Iterable<string>;
  readonly entry: (key: string) => ServiceEntry;
  readonly log: Logger;
}

interface Applied {
  readonly rules: ServiceRules;
  readonly ports: readonly ProxiedPort[];
}

const retry = { initialMs: 200, maxMs: 5000, jitter: 0.25 };

/**
 * Keeps the table of one node in step with the Services. What has changed while nft ran is the next transaction; when one is
 * refused, the whole table is made anew.
 */
export class NodeProxy {
  readonly #options: NodeProxyOptions;
  readonly #retry = new RetryTimer(realClock, new Backoff(retry));
  readonly #dirty = new Set<string>();
  readonly #idle: (() => void)[] = [];
  #applied = new Map<string, Applied>();
  #claims = new ElementClaims();
  #whole = true;
  #running: Promise<void> | undefined;
  #stopped = false;
  #canForget = true;

  constructor(options: NodeProxyOptions) {
    this.#options = options;
  }

  /** Something about a Service has changed. */
  mark(key: string): void {
    this.#dirty.add(key);
    this.#run();
  }

  /** Makes the whole table; the first call begins. */
  rebuild(): void {
    this.#whole = true;
    this.#run();
  }

  /** Settles when the kernel has all that was known at the call, and whatever came until then. */
  settled(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Ends work. The table stays: it ends with the namespace. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry[Symbol.dispose]();
    await this.#running;
  }

  get #busy(): boolean {
    return this.#whole || this.#dirty.size > 0 || this.#running !== undefined;
  }

  #run(): void {
    if (this.#running !== undefined || this.#stopped || this.#retry.waiting) return;
    this.#running = this.#work().finally(() => {
      this.#running = undefined;
      if (this.#busy) return;
      for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  async #work(): Promise<void> {
    while (!this.#stopped && (this.#whole || this.#dirty.size > 0)) {
      try {
        await (this.#whole ? this.#applyAll() : this.#applyChanges());
        this.#retry.reset();
      } catch (error) {
        this.#whole = true;
        this.#options.log.error('the rules of Services were refused; the table is made anew', {
          node: this.#options.nodeName,
          error: error instanceof Error ? error.message : String(error),
        });
        this.#retry.schedule(() => this.#run());
        return;
      }
    }
  }

  async #applyAll(): Promise<void> {
    this.#whole = false;
    this.#dirty.clear();
    this.#claims = new ElementClaims();
    const before = this.#applied;
    this.#applied = new Map();
    const input = [renderTable(this.#options.podPrefixes)];
    for (const key of this.#options.keys()) input.push(this.#change(key));
    await this.#nft('make the table of Services', input.join(''));
    const flows = [...before].flatMap(([key, { ports }]) =>
      staleFlows(ports, this.#applied.get(key)?.ports ?? []),
    );
    await this.#forgetFlows(flows);
  }

  async #applyChanges(): Promise<void> {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    const flows: string[][] = [];
    const input = keys.map((key) => {
      const before = this.#applied.get(key)?.ports ?? [];
      const text = this.#change(key);
      flows.push(...staleFlows(before, this.#applied.get(key)?.ports ?? []));
      return text;
    });
    const text = input.join('');
    if (text !== '') await this.#nft('change the table of Services', text);
    await this.#forgetFlows(flows);
  }

  /** What has to change for one Service; taken for done. */
  #change(key: string): string {
    const { nodeName, log } = this.#options;
    const ports = proxiedPorts(this.#options.entry(key));
    const before = this.#applied.get(key)?.rules ?? noRules;
    const { rules, refused, freed } = this.#claims.claim(key, before, serviceRules(key, ports, nodeName));
    for (const element of refused)
      log.warn('a Service asks for what another one has; it does without', { service: key, element });
    for (const other of freed) this.#dirty.add(other);
    if (rules.chains.size === 0 && rules.elements.size === 0) this.#applied.delete(key);
    else this.#applied.set(key, { rules, ports });
    return renderChange(before, rules);
  }

  #nft(step: string, input: string): Promise<string> {
    return runInNamespace(this.#options.namespace, step, ['nft', '-f', '-'], input);
  }

  /** Best effort: where there is no conntrack(8), flows of UDP end by their timeout. */
  async #forgetFlows(flows: readonly string[][]): Promise<void> {
    for (const args of flows) {
      if (!this.#canForget) return;
      try {
        await runInNamespace(this.#options.namespace, 'forget flows of UDP', ['conntrack', ...args]);
      } catch (error) {
        const { code, message } = error as { code?: string; message: string };
        // It gives 1 when there was no such flow.
        if (code !== 'LAB_NETWORK_TOOL') continue;
        this.#canForget = false;
        this.#options.log.info('flows of UDP to endpoints that are gone end by their timeout', {
          error: message,
        });
      }
    }
  }
}
