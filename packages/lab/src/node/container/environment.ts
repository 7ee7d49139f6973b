// The environment of a container, and the texts that refer to it (core/v1 EnvVar, Container.command). Pure.
import { ContainerError } from '../errors.ts';
import type {
  Container,
  EnvironmentSource,
  EnvironmentVariable,
  KeyReference,
  NodePod,
  ResourceReference,
} from '../../objects/pod.ts';
import { dividedQuantity } from './quantity.ts';

/** What references are looked up in. */
export interface EnvironmentSources {
  readonly pod: NodePod;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** What a resource without a limit has: all of the node. */
  readonly allocatable: Readonly<Record<string, string>>;
  /** The object's data as text; undefined if there is no such object in the pod's namespace. */
  readonly configMap: (name: string) => Readonly<Record<string, string>> | undefined;
  readonly secret: (name: string) => Readonly<Record<string, string>> | undefined;
}

/** Before the container's own, which go before them. */
export type BaseEnvironment = Readonly<Record<string, string>>;

/**
 * @throws ContainerError CreateContainerConfigError naming the reference that leads nowhere
 */
export function containerEnvironment(
  container: Container,
  base: BaseEnvironment,
  sources: EnvironmentSources,
): Map<string, string> {
  const environment = new Map(Object.entries(base));
  for (const source of container.envFrom ?? []) addAll(environment, source, sources);
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, environment, sources);
    if (value !== undefined) environment.set(variable.name, value);
  }
  return environment;
}

/**
 * Replaces `$(NAME)` by the variable's value. `$$` stands for one `$`, and a reference to what is not defined stays as it is.
 */
export function expandReferences(text: string, environment: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([^()\s]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (environment.get(name) ?? whole),
  );
}

/** The value of a field of the pod that the downward API offers; undefined for one that it does not. */
export function fieldValue(
  path: string,
  { pod, podIps, hostIps }: Pick<EnvironmentSources, 'pod' | 'podIps' | 'hostIps'>,
): string | undefined {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed !== null) {
    const map = keyed[1] === 'labels' ? metadata.labels : metadata.annotations;
    return map?.[keyed[2] ?? ''] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid;
    case 'metadata.labels':
      return keyValueLines(metadata.labels);
    case 'metadata.annotations':
      return keyValueLines(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? 'default';
    case 'status.podIP':
      return podIps[0] ?? '';
    case 'status.podIPs':
      return podIps.join(',');
    case 'status.hostIP':
      return hostIps[0] ?? '';
    case 'status.hostIPs':
      return hostIps.join(',');
    default:
      return undefined;
  }
}

/** A limit or request of a container, as `resourceFieldRef` shows it; undefined for a resource that is not offered. */
export function resourceValue(
  { resource, divisor }: ResourceReference,
  container: Container,
  allocatable: Readonly<Record<string, string>>,
): string | undefined {
  const [kind, name] = [resource.slice(0, resource.indexOf('.')), resource.slice(resource.indexOf('.') + 1)];
  if (kind !== 'limits' && kind !== 'requests') return undefined;
  const fallback = kind === 'limits' ? (allocatable[name] ?? '0') : '0';
  return dividedQuantity(container.resources?.[kind]?.[name] ?? fallback, divisor);
}

function keyValueLines(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

function addAll(
  environment: Map<string, string>,
  source: EnvironmentSource,
  sources: EnvironmentSources,
): void {
  for (const [kind, reference, read] of [
    ['configmap', source.configMapRef, sources.configMap],
    ['secret', source.secretRef, sources.secret],
  ] as const) {
    if (reference === undefined) continue;
    const data = read(reference.name ?? '');
    if (data === undefined && reference.optional !== true)
      throw missing(`${kind} "${reference.name ?? ''}" not found`);
    for (const [key, value] of Object.entries(data ?? {})) {
      const name = `${source.prefix ?? ''}${key}`;
      // The kernel takes any name but one with a NUL or `=`.
      if (!/[=\0]/.test(name)) environment.set(name, value);
    }
  }
}

function valueOf(
  { name, value, valueFrom }: EnvironmentVariable,
  container: Container,
  environment: ReadonlyMap<string, string>,
  sources: EnvironmentSources,
): string | undefined {
  if (valueFrom === undefined) return expandReferences(value ?? '', environment);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) {
    const found = fieldValue(fieldRef.fieldPath, sources);
    if (found === undefined) throw missing(`env ${name}: fieldPath ${fieldRef.fieldPath} is not supported`);
    return found;
  }
  if (resourceFieldRef !== undefined) {
    const found = resourceValue(resourceFieldRef, container, sources.allocatable);
    if (found === undefined)
      throw missing(`env ${name}: resource ${resourceFieldRef.resource} is not supported`);
    return found;
  }
  if (configMapKeyRef !== undefined) return keyValue('configmap', configMapKeyRef, sources.configMap);
  if (secretKeyRef !== undefined) return keyValue('secret', secretKeyRef, sources.secret);
  return '';
}

function keyValue(
  kind: string,
  { name = '', key, optional }: KeyReference,
  read: EnvironmentSources['configMap'],
): string | undefined {
  const data = read(name);
  const value = data?.[key];
  if (value !== undefined || optional === true) return value;
  throw missing(
    data === undefined ? `${kind} "${name}" not found` : `couldn't find key ${key} in ${kind} "${name}"`,
  );
}

function missing(message: string): ContainerError {
  return new ContainerError('CreateContainerConfigError', message);
}
