import { formatDuration, logSettings, SettingsError } from '@ambient/runtime';
import type { SettingProblem, SettingsSource } from '@ambient/runtime';

import {
  certificateSettings,
  clusterSettings,
  discoverySettings,
  leaderSettings,
  listenerSettings,
} from './schema.ts';

/** Everything that a control plane is configured by. */
export type ControlPlaneSettings = ReturnType<typeof loadControlPlaneSettings>;

type CertificateSettings = ReturnType<typeof certificateSettings.collect>;

/** @throws SettingsError naming every bad value */
export function loadControlPlaneSettings(source: SettingsSource) {
  const problems: SettingProblem[] = [];
  const settings = {
    cluster: clusterSettings.collect(source, problems),
    listeners: listenerSettings.collect(source, problems),
    discovery: discoverySettings.collect(source, problems),
    leader: leaderSettings.collect(source, problems),
    certificates: withOverlap(certificateSettings.collect(source, problems), problems),
    log: logSettings.collect(source, problems),
  };
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

/** Clocks of a cluster's machines differ by less. */
const clockDifferenceMs = 60 * 60 * 1000;

/** A root that went before the last certificate under it has ended would break connections. */
function withOverlap(certificates: CertificateSettings, problems: SettingProblem[]) {
  const { maxTtlMs, rootOverlapMs = maxTtlMs + clockDifferenceMs } = certificates;
  if (rootOverlapMs <= maxTtlMs)
    problems.push({
      env: 'CA_ROOT_OVERLAP',
      value: formatDuration(rootOverlapMs),
      expected: `more than MAX_WORKLOAD_CERT_TTL, which is ${formatDuration(maxTtlMs)}`,
    });
  return { ...certificates, rootOverlapMs };
}
