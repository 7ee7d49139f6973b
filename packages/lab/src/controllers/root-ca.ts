import { rootCaConfigMap } from '../objects/well-known.ts';
import type { ControllerContext } from './controller.ts';
import { QueuedController } from './queue/queued-controller.ts';
import { onWorkloadChange } from './pods/pod-family.ts';

/** Keeps ConfigMap `kube-root-ca.crt` in every namespace: what pods verify the API server by. */
export class RootCaPublisher extends QueuedController {
  readonly #data: Readonly<Record<string, string>>;

  /** @param caPem certificate of the API server's authority */
  constructor(context: ControllerContext, caPem: string) {
    super(context, { name: 'root-ca-cert-publisher' });
    const { cache } = context;
    this.#data = { 'ca.crt': caPem };
    this.hear(onWorkloadChange(cache, 'Namespace', (key) => this.look(key)));
    this.hear(
      cache.tables.ConfigMap.listen((now, previous) =>
        this.look((now ?? previous!).metadata.namespace ?? ''),
      ),
    );
  }

  protected override async reconcile(namespace: string): Promise<undefined> {
    const { cache, writer } = this.context;
    const { metadata } = cache.tables.Namespace.get(namespace) ?? {};
    if (metadata === undefined || metadata.deletionTimestamp !== undefined) return;
    const known = cache.tables.ConfigMap.get(`${namespace}/${rootCaConfigMap}`);
    if (known?.data?.['ca.crt'] === this.#data['ca.crt']) return;
    if (known === undefined)
      await writer.create('ConfigMap', { metadata: { name: rootCaConfigMap, namespace }, data: this.#data });
    else await writer.patch('ConfigMap', known, { data: this.#data });
  }
}
