import type { JsonObject } from '../object.ts';
import type { LabelSelector } from './webhook-rules.ts';

/** A write that webhooks are asked about. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural, lower case. */
  readonly resource: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** Of the object; for a namespace, its own name. Empty for other cluster-scoped objects. */
  readonly namespace: string;
  /** Empty where generateName is to make it. */
  readonly name: string;
  /** Undefined for deletions. */
  readonly object: JsonObject | undefined;
  /** Undefined for creations. */
  readonly oldObject: JsonObject | undefined;
  /** `userInfo`. */
  readonly user: {
    readonly username: string;
    readonly uid?: string;
    readonly groups?: readonly string[];
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly dryRun: boolean;
  /** Such as `meta.k8s.io/v1 CreateOptions`; null where there are none. */
  readonly options?: JsonObject;
}

/** One entry of `webhooks` in a (Validating|Mutating)WebhookConfiguration, with the defaults of the schema filled in. */
export interface Webhook {
  readonly name: string;
  readonly clientConfig: {
    readonly url?: string;
    readonly service?: {
      readonly namespace: string;
      readonly name: string;
      readonly path?: string;
      readonly port?: number;
    };
    /** PEM in base64; without it, the system's roots. */
    readonly caBundle?: string;
  };
  readonly rules?: readonly {
    readonly operations?: readonly string[];
    readonly apiGroups?: readonly string[];
    readonly apiVersions?: readonly string[];
    readonly resources?: readonly string[];
    readonly scope?: string;
  }[];
  readonly failurePolicy?: string;
  readonly sideEffects?: string;
  readonly timeoutSeconds?: number;
  readonly admissionReviewVersions?: readonly string[];
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
  /** Of mutating ones: ask again after another one changed the object. */
  readonly reinvocationPolicy?: string;
}

/** A (Validating|Mutating)WebhookConfiguration. */
export interface WebhookConfiguration {
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly Webhook[];
}
