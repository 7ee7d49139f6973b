import type { SettingProblem, SettingsSource } from '@ambient/runtime';
import { collectByPrefix, SettingsError } from '@ambient/runtime';
import { meshConfigPath, readProxyConfig } from './settings/proxy-config.ts';
import {
  emptyToUndefined,
  localXds,
  readDns,
  readHeaders,
  readJsonMetadata,
  rootCertSource,
  tokenSource,
  withScheme,
} from './settings/readers.ts';
import {
  certificateSettings,
  controlPlaneSettings,
  defaultControlPlane,
  placeSettings,
  processSettings,
  snapshotSettings,
  trafficSettings,
} from './settings/schema.ts';
import { standardPorts } from './settings/types.ts';
import type { ExtraHeader, ZtunnelSettings } from './settings/types.ts';
import { settingsWithoutEffect } from './settings/without-effect.ts';
import { workerThreads } from './settings/worker-threads.ts';

export type {
  ExtraHeader,
  LocalXdsSource,
  RootCertSource,
  TokenSource,
  ZtunnelPorts,
  ZtunnelSettings,
} from './settings/types.ts';
export { standardPorts } from './settings/types.ts';
export type { WorkloadName } from './settings/value-types.ts';

/** What settings need from the machine, injected so that tests need no files. */
export interface SettingsHost {
  /** The content of a text file, undefined if there is none; other failures are thrown. */
  readFile(path: string): string | undefined;
  exists(path: string): boolean;
  /** CPUs that this process may use. */
  readonly cpuCount: number;
  /** Descriptors that this process may have open (RLIMIT_NOFILE). */
  readonly descriptorLimit: number;
}

/**
 * Reads all settings of the node proxy: the environment, `PROXY_CONFIG` and the mesh config file.
 *
 * @throws SettingsError naming every bad value at once
 */
export async function loadZtunnelSettings(
  source: SettingsSource,
  host: SettingsHost,
): Promise<ZtunnelSettings> {
  const problems: SettingProblem[] = [];
  const main = processSettings.collect(source, problems);
  const place = placeSettings.collect(source, problems);
  const plane = controlPlaneSettings.collect(source, problems);
  const cold = snapshotSettings.collect(source, problems);
  const certs = certificateSettings.collect(source, problems);
  const traffic = trafficSettings.collect(source, problems);
  const proxyConfig = await readProxyConfig(readMeshConfig(host, problems), main.proxyConfig, problems);

  const metadata = { ...proxyConfig.proxyMetadata };
  for (const [name, value] of collectByPrefix(source, 'ISTIO_META_')) metadata[name] = value;
  const dns = readDns(proxyConfig, metadata, problems);
  const dedicated = main.proxyMode === 'dedicated';

  const demand = (holds: boolean, env: string, value: unknown, expected: string): void => {
    if (!holds) problems.push({ env, value: JSON.stringify(value) ?? 'unset', expected });
  };
  demand(
    !dedicated || main.proxyWorkloadInfo !== undefined || source.get('PROXY_WORKLOAD_INFO') !== undefined,
    'PROXY_WORKLOAD_INFO',
    undefined,
    'namespace/name/service-account, because PROXY_MODE=dedicated',
  );
  demand(
    plane.localXdsPath === undefined || plane.localXds === undefined,
    'LOCAL_XDS',
    '...',
    'to be unset, because LOCAL_XDS_PATH is set',
  );
  demand(
    !(plane.xdsOnDemand && dns.enabled),
    'XDS_ON_DEMAND',
    true,
    'false, or ISTIO_META_DNS_CAPTURE=false: DNS must know all services beforehand',
  );
  demand(
    main.proxyEnabled || dns.enabled,
    'ENABLE_PROXY',
    false,
    'true, or DNS capture on: as it is nothing would be served',
  );

  const settings: ZtunnelSettings = {
    mode: main.proxyMode,
    proxyEnabled: main.proxyEnabled,
    dedicatedWorkload: dedicated ? main.proxyWorkloadInfo : undefined,
    ownWorkload:
      place.podName !== '' && place.podNamespace !== '' && place.serviceAccount !== ''
        ? {
            namespace: place.podNamespace,
            name: place.podName,
            serviceAccount: place.serviceAccount,
          }
        : undefined,
    ports: {
      ...standardPorts,
      admin: proxyConfig.proxyAdminPort ?? standardPorts.admin,
      stats: proxyConfig.statsPort ?? standardPorts.stats,
      dns: dns.port,
    },
    ipv6Enabled: main.ipv6Enabled,
    workerThreads: workerThreads({
      setting: main.workerThreads,
      concurrency: proxyConfig.concurrency,
      cpuLimit: main.cpuLimit,
      cpuRequest: main.cpuRequest,
      cpuCount: main.cpuCount !== undefined && main.cpuCount > 0 ? main.cpuCount : host.cpuCount,
    }),
    drainDeadlineMs: main.terminationDeadlineMs ?? drainDeadlineMs(main.terminationGracePeriodSeconds),
    log: { levels: main.logLevels, format: main.logFormat },
    place: { ...place, preferredServiceNamespace: emptyToUndefined(place.preferredServiceNamespace) },
    metadata,
    jsonMetadata: readJsonMetadata(source, problems),
    xds: {
      address: withScheme(
        'XDS_ADDRESS',
        plane.xdsAddress ?? proxyConfig.discoveryAddress ?? defaultControlPlane.from(source),
        problems,
      ),
      rootCert: rootCertSource(plane.xdsRootCa, host),
      altHostname: emptyToUndefined(plane.altXdsHostname),
      headers: readHeaders(source, 'XDS_HEADER_', problems),
      onDemand: plane.xdsOnDemand,
      local: localXds(plane.localXdsPath, plane.localXds),
    },
    ca: {
      address: certs.fakeCa ? undefined : withScheme('CA_ADDRESS', certs.caAddress, problems),
      rootCert: rootCertSource(certs.caRootCa, host),
      altHostname: emptyToUndefined(certs.altCaHostname),
      headers: readHeaders(source, 'CA_HEADER_', problems),
      secretTtlMs: certs.secretTtlMs,
      fakeCaDir: certs.fakeCa ? certs.fakeCaDir : undefined,
    },
    snapshot: snapshotSettingsOf(
      emptyToUndefined(cold.snapshotPath),
      emptyToUndefined(cold.snapshotKeyPath),
      cold.snapshotMaxAgeMs,
    ),
    token: tokenSource(plane.authToken, host),
    tls: {
      tls12Enabled: certs.tls12Enabled,
      compliancePolicy: certs.compliancePolicy,
      crlPath: emptyToUndefined(certs.crlPath),
    },
    http2: {
      streamWindow: traffic.streamWindow,
      connectionWindow: traffic.connectionWindow,
      frameSize: traffic.frameSize,
    },
    pool: {
      maxStreamsPerConnection: traffic.poolMaxStreams,
      unusedReleaseMs: traffic.poolUnusedReleaseMs,
    },
    socket: {
      keepalive: traffic.keepaliveEnabled
        ? {
            timeMs: traffic.keepaliveTimeMs,
            intervalMs: traffic.keepaliveIntervalMs,
            retries: traffic.keepaliveRetries,
          }
        : undefined,
      userTimeoutEnabled: traffic.userTimeoutEnabled,
      packetMark: traffic.packetMark ?? (dedicated ? undefined : 1337),
      originalSource:
        traffic.originalSource === undefined ? 'auto' : traffic.originalSource ? 'required' : 'off',
    },
    dns: { ...dns, resolvConfPath: traffic.resolvConf },
    descriptors: { limit: host.descriptorLimit, perPod: traffic.podSockets ?? Infinity },
    inpod: { udsPath: traffic.inpodUds },
    localhostAppTunnel: traffic.localhostAppTunnel,
    responseBaggage: traffic.responseBaggage,
    authzPolicyInfoLogging: traffic.authzPolicyInfoLogging,
    socks5: traffic.socks5,
    withoutEffect: settingsWithoutEffect(traffic),
  };
  if (!certs.fakeCa)
    demand(
      settings.ca.address !== undefined,
      'CA_ADDRESS',
      '',
      'an address; only FAKE_CA=true does without a CA',
    );
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(settings);
}

function snapshotSettingsOf(
  path: string | undefined,
  keyPath: string | undefined,
  maxAgeMs: number,
): ZtunnelSettings['snapshot'] {
  return path === undefined ? undefined : { path, keyPath: keyPath ?? `${path}.key`, maxAgeMs };
}

function readMeshConfig(host: SettingsHost, problems: SettingProblem[]): string | undefined {
  try {
    return host.readFile(meshConfigPath);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ env: meshConfigPath, value: '(file)', expected: `a readable file (${reason})` });
    return undefined;
  }
}

/**
 * The time that connections are given at the end, so that it is over shortly before Kubernetes kills the process: the
 * grace period less 5 s, or less 1 s if it is 10 s or below, but at least 1 s; 5 s if it is unknown.
 */
export function drainDeadlineMs(gracePeriodSeconds: number | undefined): number {
  if (gracePeriodSeconds === undefined) return 5000;
  return Math.max(1, gracePeriodSeconds - (gracePeriodSeconds > 10 ? 5 : 1)) * 1000;
}

/** Ports that a destination must not name, for the proxy would call itself: its own listeners. */
export function selfCallPorts(settings: ZtunnelSettings): ReadonlySet<number> {
  const { outbound, inboundPlaintext, inboundHbone, socks5 } = settings.ports;
  return new Set([outbound, inboundPlaintext, inboundHbone, ...(settings.socks5 ? [socks5] : [])]);
}

/** The settings as `/config_dump` shows them: tokens and header values are hidden. */
export function describeSettings(settings: ZtunnelSettings): object {
  const hide = (headers: readonly ExtraHeader[]): string[][] => headers.map(([name]) => [name, '(hidden)']);
  return {
    ...settings,
    token: settings.token.kind === 'literal' ? { kind: 'literal', token: '(hidden)' } : settings.token,
    xds: {
      ...settings.xds,
      headers: hide(settings.xds.headers),
      local: settings.xds.local?.kind === 'inline' ? { kind: 'inline' } : settings.xds.local,
    },
    ca: { ...settings.ca, headers: hide(settings.ca.headers) },
  };
}
