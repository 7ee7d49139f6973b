import type { SettingProblem, SettingsSource } from '@ambient/runtime';
import { logSettings, SettingsError } from '@ambient/runtime';
import { proofAddress } from '../../rules/host-rules.ts';
import { ambientSettings, clusterSettings, installSettings, pathSettings } from './schema.ts';

/** Everything that a node agent is configured by. */
export type AgentSettings = ReturnType<typeof loadAgentSettings>;

/** @throws SettingsError naming every bad value */
export function loadAgentSettings(source: SettingsSource) {
  const problems: SettingProblem[] = [];
  const settings = {
    ambient: ambientSettings.collect(source, problems),
    cluster: clusterSettings.collect(source, problems),
    install: installSettings.collect(source, problems),
    paths: pathSettings.collect(source, problems),
    log: logSettings.collect(source, problems),
  };
  const { ambient, cluster, install } = settings;
  if (cluster.nodeName === '')
    problems.push({
      env: 'NODE_NAME',
      value: '""',
      expected: 'the name of the node, as the downward API gives it',
    });
  if (cluster.apiHost === '')
    problems.push({
      env: 'KUBERNETES_SERVICE_HOST',
      value: '""',
      expected: 'the host of the API server, as Kubernetes sets it in pods',
    });
  for (const [env, value, proof] of [
    ['HOST_PROBE_SNAT_IP', ambient.probeAddressV4, proofAddress.v4],
    ['HOST_PROBE_SNAT_IPV6', ambient.probeAddressV6, proofAddress.v6],
  ] as const)
    if (value === proof)
      problems.push({
        env,
        value: JSON.stringify(value),
        expected: `another address than that of the agent's own calls`,
      });
  if (!install.chained)
    problems.push({
      env: 'CHAINED_CNI_PLUGIN',
      value: '"false"',
      expected: '`true`: the plugin gives pods no network, and has to follow one that does',
    });
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
