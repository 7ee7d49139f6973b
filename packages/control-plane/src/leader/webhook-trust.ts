import { describeError } from '@ambient/runtime';
import type { Logger } from '@ambient/runtime';

import type { KubeClient } from '../kube/client.ts';
import { KubeStatusError } from '../kube/errors.ts';
import { withWebhookTrust } from '../validation/webhook-configuration.ts';
import type { WebhookConfiguration } from '../validation/webhook-configuration.ts';

export interface WebhookTrustOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  /** ValidatingWebhookConfigurations that call this control plane. */
  readonly names: readonly string[];
  /** PEM of the roots that sign the serving certificate. */
  readonly roots: () => string;
}

const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/**
 * Tells the API server by which roots it knows the admission webhook, and, now that somebody answers, to refuse what cannot
 * be checked. A configuration that is not installed is none of our business.
 */
export async function keepWebhookTrust({ client, log, names, roots }: WebhookTrustOptions): Promise<void> {
  for (const name of names)
    try {
      const found = await client.request<WebhookConfiguration>({ path: `${path}/${name}` });
      const wanted = withWebhookTrust(found, { roots: roots(), failurePolicy: 'Fail' });
      if (wanted === undefined) continue;
      await client.request({ method: 'PUT', path: `${path}/${name}`, body: wanted });
      log.info('the admission webhook is in force', { configuration: name });
    } catch (error) {
      // Gone, or changed by another replica in this moment: looked at again with the next change.
      if (error instanceof KubeStatusError && (error.status === 404 || error.status === 409)) continue;
      log.warn('cannot set up the admission webhook; objects go unchecked', {
        configuration: name,
        error: describeError(error),
      });
    }
}
