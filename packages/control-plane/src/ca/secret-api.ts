/** Secrets of the control plane's own namespace, as the CA needs them; the kube layer implements it. */
export interface StoredSecret {
  readonly name: string;
  readonly type: string;
  /** Decoded. */
  readonly files: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `metadata.resourceVersion` of what was read. */
  readonly resourceVersion: string;
}

export type NewSecret = Pick<StoredSecret, 'name' | 'type' | 'files'>;

export interface SecretApi {
  /** For messages, such as "istio-system". */
  readonly namespace: string;
  /** undefined: there is none (404). Rejects if the API server gives no answer. */
  read(name: string): Promise<StoredSecret | undefined>;
  /** false: there is one already (409). */
  create(secret: NewSecret): Promise<boolean>;
  /**
   * Replaces the data of the Secret that was read, keeping labels and annotations.
   *
   * @returns false: it was changed or deleted in between (409, 404)
   */
  replace(secret: StoredSecret, files: StoredSecret['files']): Promise<boolean>;
}
