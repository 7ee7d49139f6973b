import { readFileSync } from 'node:fs';
import { DeltaClient, discoveryNode, GrpcTransport } from '@ambient/xds';
import type { DeltaClientOptions, ServerTrust } from '@ambient/xds';
import type { RootCertSource, ZtunnelSettings } from '../settings.ts';

export type ControlPlaneSettings = Pick<
  ZtunnelSettings,
  'xds' | 'token' | 'tls' | 'place' | 'metadata' | 'jsonMetadata'
>;

/** The client of the control plane at `address`, as the settings describe this proxy to it. */
export function controlPlaneClient(
  address: string,
  settings: ControlPlaneSettings,
  handlers: Omit<DeltaClientOptions, 'transport' | 'node' | 'onDemand'>,
): DeltaClient {
  const { xds, place, metadata, jsonMetadata } = settings;
  const { node } = discoveryNode({
    instanceIp: place.instanceIp,
    podName: place.podName,
    podNamespace: place.podNamespace,
    nodeName: place.nodeName,
    proxyMetadata: metadata,
    environment: Object.fromEntries(
      Object.entries(jsonMetadata).map(([name, value]) => [`ISTIO_METAJSON_${name}`, JSON.stringify(value)]),
    ),
  });
  const transport = new GrpcTransport({
    address,
    trust: controlPlaneTrust(settings),
    headers: () => controlPlaneHeaders(settings),
    ...(handlers.clock === undefined ? {} : { clock: handlers.clock }),
  });
  return new DeltaClient({ ...handlers, transport, node, onDemand: xds.onDemand });
}

/** How the control plane is recognized, and how connections to it are encrypted: as those between proxies are. */
export function controlPlaneTrust({ xds, tls }: Pick<ZtunnelSettings, 'xds' | 'tls'>): ServerTrust {
  return {
    rootCa: rootCaText(xds.rootCert),
    altHostname: xds.altHostname,
    tls12: tls.tls12Enabled,
    postQuantumOnly: tls.compliancePolicy === 'pqc',
  };
}

/**
 * Headers of a discovery stream: the token, read anew since the kubelet replaces it, with the cluster that is to check it;
 * and `XDS_HEADER_*`. @throws if the token file cannot be read
 */
export function controlPlaneHeaders(
  settings: Pick<ZtunnelSettings, 'xds' | 'token' | 'place'>,
): Record<string, string> {
  const { xds, token, place } = settings;
  const headers: Record<string, string> = Object.fromEntries(xds.headers);
  if (token.kind === 'none') return headers;
  // A trailing line feed would make an illegal header value.
  const bearer = (token.kind === 'file' ? readFileSync(token.path, 'utf8') : token.token).trim();
  headers['authorization'] = `Bearer ${bearer}`;
  headers['clusterid'] = place.clusterId;
  return headers;
}

function rootCaText(source: RootCertSource): string {
  switch (source.kind) {
    case 'system':
      return 'SYSTEM';
    case 'pem':
      return source.pem;
    case 'file':
      return source.path;
  }
}
