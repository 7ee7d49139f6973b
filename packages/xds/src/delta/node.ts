import type { envoy, google } from '@ambient/wire';

/** What identifies this proxy to the control plane. */
export interface NodeOptions {
  /** Address of the pod; undefined becomes 1.1.1.1, which a control plane accepts as "an address". */
  readonly instanceIp?: string | undefined;
  readonly podName: string;
  readonly podNamespace: string;
  readonly nodeName: string;
  /** `proxyMetadata` of the mesh configuration: metadata strings that override the four above. */
  readonly proxyMetadata?: Readonly<Record<string, string>>;
  /** The environment, or the part of it that starts with `ISTIO_META`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * The discovery node, as Istio's ztunnel sends it: `ztunnel~IP~NAME.NAMESPACE~NAMESPACE.svc.cluster.local` with NAME,
 * NAMESPACE, INSTANCE_IPS and NODE_NAME, then `ISTIO_META_X` as string X and `ISTIO_METAJSON_X` as JSON value X.
 *
 * @returns the node, and the names of `ISTIO_METAJSON_` variables that hold no JSON and are left out
 */
export function discoveryNode(options: NodeOptions): {
  readonly node: envoy.config.core.v3.INode;
  readonly invalidJson: readonly string[];
} {
  const ip = options.instanceIp ?? '1.1.1.1';
  const { podName, podNamespace } = options;
  const fields = new Map<string, google.protobuf.IValue>();
  const put = (strings: Readonly<Record<string, string>>): void => {
    for (const [key, value] of Object.entries(strings)) fields.set(key, { stringValue: value });
  };
  put({ NAME: podName, NAMESPACE: podNamespace, INSTANCE_IPS: ip, NODE_NAME: options.nodeName });
  put(options.proxyMetadata ?? {});
  const invalidJson: string[] = [];
  const json: [string, string][] = [];
  for (const [key, value] of Object.entries(options.environment ?? {})) {
    if (value === undefined) continue;
    if (key.startsWith('ISTIO_METAJSON_')) json.push([key, value]);
    else if (key.startsWith('ISTIO_META_')) put({ [key.slice('ISTIO_META_'.length)]: value });
  }
  for (const [key, value] of json) {
    try {
      fields.set(key.slice('ISTIO_METAJSON_'.length), jsonToValue(JSON.parse(value)));
    } catch {
      invalidJson.push(key);
    }
  }
  return {
    node: {
      id: `ztunnel~${ip}~${podName}.${podNamespace}~${podNamespace}.svc.cluster.local`,
      metadata: { fields: Object.fromEntries(fields) },
    },
    invalidJson,
  };
}

function jsonToValue(json: unknown): google.protobuf.IValue {
  if (typeof json === 'boolean') return { boolValue: json };
  if (typeof json === 'number') return { numberValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(jsonToValue) } };
  if (typeof json === 'object' && json !== null)
    return {
      structValue: {
        fields: Object.fromEntries(Object.entries(json).map(([key, value]) => [key, jsonToValue(value)])),
      },
    };
  return { nullValue: 0 };
}
