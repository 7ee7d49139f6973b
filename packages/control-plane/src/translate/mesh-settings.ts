// What holds for the whole mesh: settings of this process, and the part of MeshConfig that the control plane
// follows, from key `mesh` of ConfigMap `istio` in the system namespace.
import { parse } from 'yaml';
import type { ConfigMap, LabelSelector, LabelSelectorRequirement, Namespace } from '@ambient/kube';
import { NETWORK_LABEL } from '../cluster/indexes.ts';
import { FieldReader } from '../validation/field-reader.ts';
import type { FieldProblem } from '../validation/problem.ts';
import { ProblemList } from '../validation/problem.ts';

/** Who sees a ServiceEntry, by the mesh's administrator: all, its own namespace, nobody. */
export type Visibility = 'PUBLIC' | 'NAMESPACE' | 'NONE';

export interface VisibilityPolicy {
  readonly visibility: Visibility;
  /** All have to match the labels of the entry's namespace; none at all match everything. */
  readonly namespaceSelectors: readonly LabelSelector[];
}

export interface ServiceEntryVisibility {
  readonly defaultVisibility: Visibility;
  /** The first that matches counts. */
  readonly policies: readonly VisibilityPolicy[];
}

/** Which services are the same in all networks. */
export interface ServiceScope {
  readonly services: LabelSelector;
  /** Undefined: whatever the namespace. */
  readonly namespaces: LabelSelector | undefined;
  readonly global: boolean;
}

/** Settings of this process, before MeshConfig is read. */
export interface MeshDefaults {
  readonly clusterId: string;
  /** DNS domain of the cluster. */
  readonly domain: string;
  /** Where the control plane runs, and ConfigMap `istio` with it. */
  readonly systemNamespace: string;
  /** Objects labelled `istio.io/rev` are ours only if it names this. */
  readonly revision: string;
  /** Send dry-run policies, for proxies that only log them (AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY). */
  readonly dryRunPolicies: boolean;
  /** Let waypoints reach what stands behind them (PILOT_AUTO_ALLOW_WAYPOINT_POLICY). */
  readonly autoAllowWaypoint: boolean;
  /** Reach the endpoints of global services on other networks through their gateways (AMBIENT_ENABLE_MULTI_NETWORK). */
  readonly multiNetwork: boolean;
}

export interface MeshSettings extends MeshDefaults {
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  /** Policies in it hold for the whole mesh. */
  readonly rootNamespace: string;
  /** Label `topology.istio.io/network` of the system namespace; '' without. */
  readonly network: string;
  /** Only objects in namespaces that match one of these count; empty: all do. */
  readonly discoverySelectors: readonly LabelSelector[];
  /** Undefined: not in use, every entry is public and none says so in its status. */
  readonly serviceEntryVisibility: ServiceEntryVisibility | undefined;
  /** A service that none with `global` matches is of its own network. */
  readonly serviceScopes: readonly ServiceScope[];
}

/** Those of Istio's ambient profile. */
const usualScopes: readonly ServiceScope[] = [
  { services: { matchLabels: { 'istio.io/global': 'true' } }, namespaces: undefined, global: true },
];

export interface MeshConfigReading {
  readonly settings: MeshSettings;
  /** Fields that were refused; their defaults stand in `settings`. Paths are those of MeshConfig. */
  readonly problems: readonly FieldProblem[];
  /** Fields that are not followed by this control plane, by name. */
  readonly ignored: readonly string[];
}

/** Path of problems with the text as a whole. */
export const meshConfigPath = 'data.mesh';

const trustDomainShape = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,255}$/;
const namespaceShape = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const scopeNames = ['LOCAL', 'GLOBAL'] as const;
const visibilities = ['PUBLIC', 'NAMESPACE', 'NONE'] as const;
const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** The fields of MeshConfig that are followed. */
const followed: ReadonlySet<string> = new Set([
  'trustDomain',
  'trustDomainAliases',
  'rootNamespace',
  'discoverySelectors',
  'serviceEntryVisibility',
  'serviceScopeConfigs',
]);

/** Never throws: what cannot be read is a problem with its path, and the default stands. */
export function readMeshSettings(
  defaults: MeshDefaults,
  configMap: ConfigMap | undefined,
  systemNamespace: Namespace | undefined,
): MeshConfigReading {
  const problems = new ProblemList();
  const config = new FieldReader(readDocument(configMap?.data?.['mesh'] ?? '', problems), '', problems);
  const settings: MeshSettings = {
    ...defaults,
    trustDomain: textOf(config.at('trustDomain'), trustDomainShape, 'a trust domain') ?? 'cluster.local',
    trustDomainAliases: config
      .at('trustDomainAliases')
      .items()
      .flatMap((alias) => textOf(alias, trustDomainShape, 'a trust domain') ?? []),
    rootNamespace:
      textOf(config.at('rootNamespace'), namespaceShape, 'the name of a namespace') ??
      defaults.systemNamespace,
    network: systemNamespace?.metadata.labels?.[NETWORK_LABEL] ?? '',
    discoverySelectors: config
      .at('discoverySelectors')
      .items()
      .flatMap((selector) => selectorOf(selector) ?? []),
    serviceEntryVisibility: visibilityOf(config.at('serviceEntryVisibility')),
    serviceScopes: scopesOf(config.at('serviceScopeConfigs')),
  };
  const ignored = config.entries().flatMap(([field]) => (followed.has(field) ? [] : [field]));
  return { settings, problems: problems.all, ignored };
}

function readDocument(text: string, problems: ProblemList): unknown {
  try {
    // Without aliases a document of a few bytes cannot stand for a large one.
    return parse(text, { logLevel: 'error', maxAliasCount: 0 }) ?? {};
  } catch (cause) {
    const complaint = cause instanceof Error ? cause.message : String(cause);
    const message = `is not YAML; what held before goes on, and after a start the defaults; correct it: ${complaint}`;
    problems.add({ path: meshConfigPath, message, severity: 'error' });
    return {};
  }
}

function textOf(field: FieldReader, shape: RegExp, what: string): string | undefined {
  const text = field.string();
  if (text === undefined || text === '' || shape.test(text)) return text === '' ? undefined : text;
  field.error(`is not ${what}; what held before goes on, and after a start the default`);
  return undefined;
}

function visibilityOf(field: FieldReader): ServiceEntryVisibility | undefined {
  if (!field.present) return undefined;
  // Asked for and not understood: the narrower answer.
  if (!field.isObject()) return { defaultVisibility: 'NAMESPACE', policies: [] };
  return {
    defaultVisibility: visibilityValue(field.at('defaultVisibility')),
    policies: field.at('policies').items().flatMap(visibilityPolicy),
  };
}

function visibilityPolicy(field: FieldReader): VisibilityPolicy[] {
  const visibility = visibilityValue(field.at('visibility'));
  const rules = field.at('matchingRules');
  // A rule that cannot be read would widen its policy: such a policy matches nothing.
  if (rules.present && !Array.isArray(rules.raw)) {
    rules.error('must be a list; the policy matches nothing');
    return [];
  }
  const selectors = rules.items().map((rule) => selectorOf(rule.at('namespaceSelector')));
  const namespaceSelectors = selectors.filter((selector) => selector !== undefined);
  return namespaceSelectors.length === selectors.length ? [{ visibility, namespaceSelectors }] : [];
}

function visibilityValue(field: FieldReader): Visibility {
  if (!field.present) return 'PUBLIC';
  return field.oneOf(visibilities) ?? 'NAMESPACE';
}

function scopesOf(field: FieldReader): readonly ServiceScope[] {
  if (!field.present) return usualScopes;
  return field.items().flatMap((item): ServiceScope[] => {
    const [services, namespaces] = [item.at('servicesSelector'), item.at('namespaceSelector')].map((each) =>
      each.present ? selectorOf(each) : {},
    );
    const scopeField = item.at('scope');
    if (!scopeField.present)
      scopeField.error(`must be ${scopeNames.join(' or ')}; the entry matches nothing`);
    const scope = scopeField.oneOf(scopeNames);
    // One that cannot be read would match more than it says.
    if (services === undefined || namespaces === undefined || scope === undefined) return [];
    return [
      { services, namespaces: isEmpty(namespaces) ? undefined : namespaces, global: scope === 'GLOBAL' },
    ];
  });
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

function selectorOf(field: FieldReader): LabelSelector | undefined {
  if (!field.isObject()) return undefined;
  let readable = true;
  const matchLabels: Record<string, string> = {};
  for (const [label, value] of field.at('matchLabels').entries()) {
    const text = value.string();
    if (text === undefined) readable = false;
    else matchLabels[label] = text;
  }
  const matchExpressions: LabelSelectorRequirement[] = [];
  for (const item of field.at('matchExpressions').items()) {
    const key = item.at('key').required();
    const operator = item.at('operator').oneOf(operators);
    const values = item
      .at('values')
      .items()
      .map((value) => value.string());
    if (key === undefined || operator === undefined || values.includes(undefined)) readable = false;
    else matchExpressions.push({ key, operator, values: values as string[] });
  }
  return readable ? { matchLabels, matchExpressions } : undefined;
}
