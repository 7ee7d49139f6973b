import { Backoff, describeError, RetryTimer } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { HttpListWatch, KubeStatusError, Reflector, patchType } from '@ambient/kube';
import type { KubeClient, KubeObject, ReflectorTarget } from '@ambient/kube';
import { withWebhookTrust } from '../validation/webhook-configuration.ts';
import type { WebhookConfiguration } from '../validation/webhook-configuration.ts';

type Configuration = KubeObject & WebhookConfiguration;

export interface WebhookTrustOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** ValidatingWebhookConfigurations that call this control plane. */
  readonly names: readonly string[];
  /** PEM of the roots that sign the serving certificate. */
  readonly roots: () => string;
}

const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const retry = { initialMs: 1000, maxMs: 60_000, jitter: 0.25 };

/**
 * Tells the API server by which roots it knows the admission webhook, and, now that somebody answers, to refuse what cannot
 * be checked. While it leads it watches the configurations: one may be installed later, or again without the roots. One that
 * is not installed is none of our business.
 */
export class WebhookTrust {
  readonly #options: WebhookTrustOptions;
  readonly #found = new Map<string, Configuration>();
  readonly #retry: RetryTimer;
  #reflectors: readonly Reflector<Configuration>[] = [];

  constructor(options: WebhookTrustOptions) {
    this.#options = options;
    this.#retry = new RetryTimer(options.clock, new Backoff(retry));
  }

  lead(): void {
    if (this.#reflectors.length > 0) return;
    this.#reflectors = this.#options.names.map((name) => this.#reflector(name));
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stopLeading(): Promise<void> {
    const reflectors = this.#reflectors;
    this.#reflectors = [];
    this.#found.clear();
    this.#retry.reset();
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
  }

  /** The roots have changed. */
  changed(): void {
    for (const configuration of this.#found.values()) void this.#keep(configuration);
  }

  #reflector(name: string): Reflector<Configuration> {
    const { client, clock, log } = this.#options;
    const target: ReflectorTarget<Configuration> = {
      get: (key) => this.#found.get(key),
      keys: () => [...this.#found.keys()].filter((key) => key.endsWith(name)),
      put: (key, configuration) => {
        this.#found.set(key, configuration);
        void this.#keep(configuration);
      },
      remove: (key) => void this.#found.delete(key),
    };
    return new Reflector<Configuration>({
      source: new HttpListWatch({ client, path, fieldSelector: `metadata.name=${name}` }),
      target,
      prepare: (raw) => raw as Configuration,
      clock,
      log,
    });
  }

  async #keep(found: Configuration): Promise<void> {
    const { client, log, roots } = this.#options;
    const { name, resourceVersion } = found.metadata;
    const wanted = withWebhookTrust(found, { roots: roots(), failurePolicy: 'Fail' });
    if (wanted === undefined) return;
    try {
      await client.request({
        method: 'PATCH',
        path: `${path}/${encodeURIComponent(name)}`,
        contentType: patchType.merge,
        body: { metadata: { resourceVersion }, webhooks: wanted.webhooks },
      });
      this.#retry.reset();
      log.info('the admission webhook is in force', { configuration: name });
    } catch (error) {
      // Gone, or changed in this moment: the watch tells.
      if (error instanceof KubeStatusError && (error.status === 404 || error.status === 409)) return;
      if (this.#reflectors.length === 0) return;
      log.warn('cannot set up the admission webhook; objects go unchecked', {
        configuration: name,
        error: describeError(error),
      });
      this.#retry.schedule(() => this.changed());
    }
  }
}
