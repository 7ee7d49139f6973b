import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readManifests } from '../api/load.ts';
import type { JsonObject } from '../api/object.ts';

/** Namespace of the control plane, the node agent and the node proxy. */
export const MESH_NAMESPACE = 'istio-system';

/** File in a node's /opt/cni/bin that the node agent of the lab installs as the plugin: its image has no files of its own. */
export const PLUGIN_SOURCE = 'istio-cni.lab';

/** What differs from the charts' defaults. */
export interface MeshOptions {
  /** Settings of ztunnel by name (docs/settings.md). */
  readonly ztunnel?: Readonly<Record<string, string>>;
  /** Settings of the node agent by name (docs/cni-settings.md). */
  readonly cni?: Readonly<Record<string, string>>;
  /** Settings of the control plane by name (docs/control-plane-settings.md). */
  readonly controlPlane?: Readonly<Record<string, string>>;
}

const rendered = fileURLToPath(new URL('../../../../charts/rendered', import.meta.url));

interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
}

/** The objects of all charts with their default values, and the namespace that they are in. */
export async function meshManifests({ ztunnel, cni, controlPlane }: MeshOptions): Promise<JsonObject[]> {
  const chart = (name: string): Promise<JsonObject[]> => readManifests(join(rendered, `${name}.yaml`));
  const [base, control, agent, proxy] = await Promise.all([
    chart('base'),
    chart('control-plane'),
    chart('cni'),
    chart('ztunnel'),
  ]);
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: MESH_NAMESPACE } },
    ...base,
    ...control.map((object) => withEnvironment(object, controlPlane ?? {})),
    ...agent.map((object) =>
      withEnvironment(object, { CNI_BIN_SOURCE: `/host/opt/cni/bin/${PLUGIN_SOURCE}`, ...cni }),
    ),
    // All nodes of the lab share the processors of one machine.
    ...proxy.map((object) => withEnvironment(object, { ZTUNNEL_WORKER_THREADS: '1', ...ztunnel })),
  ];
}

/** A workload whose containers have these variables too, in place of those of the same name. */
function withEnvironment(object: JsonObject, variables: Readonly<Record<string, string>>): JsonObject {
  const names = Object.keys(variables);
  if (names.length === 0 || (object['kind'] !== 'Deployment' && object['kind'] !== 'DaemonSet'))
    return object;
  const changed = structuredClone(object) as JsonObject & {
    spec: { template: { spec: { containers: { env?: EnvironmentEntry[] }[] } } };
  };
  for (const container of changed.spec.template.spec.containers)
    container.env = [
      ...(container.env ?? []).filter(({ name }) => !names.includes(name)),
      ...names.map((name) => ({ name, value: variables[name]! })),
    ];
  return changed;
}
