import type { Logger } from '@ambient/runtime';

import type { Derivation } from '../cluster/derivation.ts';
import { perCluster } from '../cluster/derivation.ts';
import { meshConfigPath, readMeshSettings } from '../translate/mesh-settings.ts';
import type { MeshDefaults, MeshSettings } from '../translate/mesh-settings.ts';
import type { FieldProblem } from '../validation/problem.ts';

/** Names of the ConfigMap that holds MeshConfig, in the system namespace. */
export function meshConfigMapName(revision: string): string {
  return revision === '' || revision === 'default' ? 'istio' : `istio-${revision}`;
}

/** Settings whose default is no safe answer to a slip: identities, or what is seen at all, would change for the whole mesh. */
const keptFields = ['trustDomain', 'trustDomainAliases', 'rootNamespace', 'discoverySelectors'] as const;

/**
 * The settings that translators go by: those of the process, and over them MeshConfig as it stands in the cluster now. A
 * change of them concerns every derived resource; what is refused of a change leaves what held before it.
 */
export class MeshInForce {
  readonly #defaults: MeshDefaults;
  readonly #log: Logger;
  readonly #listeners = new Set<(settings: MeshSettings) => void>();
  #settings: MeshSettings;
  #text: string;

  constructor(defaults: MeshDefaults, log: Logger) {
    this.#defaults = defaults;
    this.#log = log;
    this.#settings = readMeshSettings(defaults, undefined, undefined).settings;
    this.#text = JSON.stringify(this.#settings);
  }

  get settings(): MeshSettings {
    return this.#settings;
  }

  /** Calls `listener` after each change; disposing ends that. */
  onChange(listener: (settings: MeshSettings) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Reads MeshConfig, before anything else is derived; to be put first among the derivations. */
  derivation<C>(): Derivation<C> {
    const { systemNamespace, revision } = this.#defaults;
    return perCluster('mesh', (lookup) => {
      const { settings, problems, ignored } = readMeshSettings(
        this.#defaults,
        lookup.get('ConfigMap', systemNamespace, meshConfigMapName(revision)),
        lookup.get('Namespace', '', systemNamespace),
      );
      this.#take(this.#withoutSlips(settings, problems), ignored);
      return { resources: [], problems };
    });
  }

  #withoutSlips(settings: MeshSettings, problems: readonly FieldProblem[]): MeshSettings {
    const refused = problems.flatMap(({ path, severity }) => (severity === 'error' ? [path] : []));
    if (refused.includes(meshConfigPath) || refused.includes('')) {
      const { serviceEntryVisibility, serviceScopes } = this.#settings;
      return { ...settings, ...this.#kept(keptFields), serviceEntryVisibility, serviceScopes };
    }
    const fields = keptFields.filter((field) => refused.some((path) => isWithin(path, field)));
    return { ...settings, ...this.#kept(fields) };
  }

  #kept(fields: readonly (typeof keptFields)[number][]): Partial<MeshSettings> {
    return Object.fromEntries(fields.map((field) => [field, this.#settings[field]]));
  }

  #take(settings: MeshSettings, ignored: readonly string[]): void {
    const text = JSON.stringify(settings);
    if (text === this.#text) return;
    this.#settings = settings;
    this.#text = text;
    this.#log.info('mesh settings changed', {
      trustDomain: settings.trustDomain,
      rootNamespace: settings.rootNamespace,
      network: settings.network,
      ...(ignored.length > 0 ? { ignored: ignored.join(', ') } : {}),
    });
    for (const listener of this.#listeners) listener(settings);
  }
}

function isWithin(path: string, field: string): boolean {
  return path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}
