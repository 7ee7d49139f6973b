import { rootCaConfigMap } from './cache/kinds.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { WorkQueue } from './queue/work-queue.ts';
import { onWorkloadChange } from './pods/pod-family.ts';

/** Keeps ConfigMap `kube-root-ca.crt` in every namespace: what pods verify the API server by. */
export class RootCaPublisher implements Controller {
  readonly #context: ControllerContext;
  readonly #queue: WorkQueue;
  readonly #listening = new DisposableStack();
  readonly #data: Readonly<Record<string, string>>;

  /** @param caPem certificate of the API server's authority */
  constructor(context: ControllerContext, caPem: string) {
    const { cache, log, clock } = context;
    this.#context = context;
    this.#data = { 'ca.crt': caPem };
    this.#queue = new WorkQueue({
      name: 'root-ca-cert-publisher',
      log,
      clock,
      reconcile: (key) => this.#reconcile(key),
    });
    this.#listening.use(onWorkloadChange(cache, 'Namespace', (key) => this.#queue.add(key)));
    this.#listening.use(
      cache.tables.ConfigMap.listen((now, previous) =>
        this.#queue.add((now ?? previous!).metadata.namespace ?? ''),
      ),
    );
  }

  get idle(): boolean {
    return this.#queue.idle;
  }

  async stop(): Promise<void> {
    this.#listening.dispose();
    await this.#queue.stop();
  }

  async #reconcile(namespace: string): Promise<undefined> {
    const { cache, writer } = this.#context;
    const { metadata } = cache.tables.Namespace.get(namespace) ?? {};
    if (metadata === undefined || metadata.deletionTimestamp !== undefined) return;
    const known = cache.tables.ConfigMap.get(`${namespace}/${rootCaConfigMap}`);
    if (known?.data?.['ca.crt'] === this.#data['ca.crt']) return;
    if (known === undefined)
      await writer.create('ConfigMap', { metadata: { name: rootCaConfigMap, namespace }, data: this.#data });
    else await writer.patch('ConfigMap', known, { data: this.#data });
  }
}
