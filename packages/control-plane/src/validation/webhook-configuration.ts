/** The part of a ValidatingWebhookConfiguration (admissionregistration.k8s.io/v1) that is looked at. */
export interface WebhookConfiguration {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly clientConfig: { readonly caBundle?: string; readonly service?: unknown; readonly url?: string };
    readonly failurePolicy?: string;
  }[];
}

export interface WebhookTrust {
  /** PEM of the roots that sign this control plane's serving certificate. */
  readonly roots: string;
  /**
   * `Fail` refuses objects while nobody can check them. Set it only once the webhook has answered, else the first start of a
   * cluster waits for itself.
   */
  readonly failurePolicy: 'Fail' | 'Ignore';
}

/**
 * The configuration with the roots and the failure policy in every webhook, or undefined if it already has them. All else
 * stays, fields that are not known here included.
 */
export function withWebhookTrust<T extends WebhookConfiguration>(
  configuration: T,
  { roots, failurePolicy }: WebhookTrust,
): T | undefined {
  const caBundle = Buffer.from(roots, 'utf8').toString('base64');
  const webhooks = configuration.webhooks ?? [];
  const isCurrent = webhooks.every(
    (webhook) => webhook.clientConfig.caBundle === caBundle && webhook.failurePolicy === failurePolicy,
  );
  if (isCurrent) return undefined;
  return {
    ...configuration,
    webhooks: webhooks.map((webhook) => ({
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle },
      failurePolicy,
    })),
  };
}
