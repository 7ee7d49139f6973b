import { SettingsError } from '@ambient/runtime';
import type { SettingProblem, SettingsSource } from '@ambient/runtime';

import {
  certificateSettings,
  clusterSettings,
  discoverySettings,
  listenerSettings,
  logSettings,
} from './schema.ts';

/** Everything that a control plane is configured by. */
export type ControlPlaneSettings = ReturnType<typeof loadControlPlaneSettings>;

/** @throws SettingsError naming every bad value */
export function loadControlPlaneSettings(source: SettingsSource) {
  const problems: SettingProblem[] = [];
  const settings = {
    cluster: clusterSettings.collect(source, problems),
    listeners: listenerSettings.collect(source, problems),
    discovery: discoverySettings.collect(source, problems),
    certificates: certificateSettings.collect(source, problems),
    log: logSettings.collect(source, problems),
  };
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
