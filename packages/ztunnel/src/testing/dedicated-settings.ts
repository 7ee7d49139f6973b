import { settingsFrom } from '@ambient/runtime';
import { loadZtunnelSettings } from '../settings.ts';
import type { ZtunnelSettings } from '../settings.ts';

/** Settings of a dedicated proxy for `a/client/client` on node `n1`, whose operators' ports are any free ones. */
export async function dedicatedSettings(env: Record<string, string> = {}): Promise<ZtunnelSettings> {
  const settings = await loadZtunnelSettings(
    settingsFrom({
      PROXY_MODE: 'dedicated',
      PROXY_WORKLOAD_INFO: 'a/client/client',
      NODE_NAME: 'n1',
      XDS_ADDRESS: '',
      FAKE_CA: 'true',
      ...env,
    }),
    { readFile: () => undefined, exists: () => false, cpuCount: 2, descriptorLimit: 1024 },
  );
  return { ...settings, ports: { ...settings.ports, admin: 0, stats: 0, readiness: 0 } };
}
