import { readFileSync } from 'node:fs';
import type { MeshStore } from '@ambient/mesh';
import type { CounterTable, Logger } from '@ambient/runtime';
import { describeError } from '@ambient/runtime';
import type { ZtunnelSettings } from '../settings.ts';
import { DnsMetrics } from './dns-metrics.ts';
import type { DnsWorker } from './dns-proxy.ts';
import { parseResolvConf } from './resolv-conf.ts';

/**
 * What the DNS proxies of a worker have in common; undefined where DNS is off. A resolv.conf that cannot be read is said in
 * the log, and its place is taken by an empty one.
 */
export function openDns(
  settings: ZtunnelSettings,
  store: MeshStore,
  counters: CounterTable,
  log: Logger,
): DnsWorker | undefined {
  const { enabled, host, port, resolvConfPath } = settings.dns;
  if (!enabled) return undefined;
  let text = '';
  try {
    text = readFileSync(resolvConfPath, 'utf8');
  } catch (error) {
    log.warn(`${resolvConfPath} cannot be read: names outside the mesh are asked for at 127.0.0.1`, {
      error: describeError(error),
    });
  }
  const { servers, searchDomains, problems } = parseResolvConf(text);
  for (const problem of problems) log.warn(`${resolvConfPath}: ${problem}`);
  return {
    scope: {
      store,
      clusterDomain: settings.place.clusterDomain.toLowerCase(),
      preferredNamespace: settings.place.preferredServiceNamespace,
      // In shared mode the file is that of the proxy, and says nothing of the namespaces that its pods are in.
      searchDomains: settings.mode === 'dedicated' ? searchDomains : undefined,
      ipv6Enabled: settings.ipv6Enabled,
      random: Math.random,
    },
    servers,
    metrics: new DnsMetrics(counters),
    log,
    host,
    port,
  };
}
