/** A pod that runs: what `Call`, `HttpLoad` and `fetchFrom` need to act as its application, and its addresses. */
export interface MeshPod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly node: string;
  readonly account: string;
  /** A file that names its network namespace. */
  readonly path: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface PodOptions {
  readonly namespace?: string;
  readonly node?: string;
  readonly account?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of the pod; its container `app` runs the tests' application where it does not say another. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A pod as the API has it, with what tests read. */
export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string; readonly serviceAccountName?: string };
  readonly status: {
    readonly phase?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly ready: boolean;
      readonly restartCount: number;
      readonly state: { readonly terminated?: { readonly exitCode: number } };
    }[];
  };
}
