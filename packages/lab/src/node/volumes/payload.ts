// The files of a volume that comes from objects of the API, as contents by path. Pure, but for what it is given to read with.
import { fieldValue, resourceValue } from '../container/environment.ts';
import type { EnvironmentSources } from '../container/environment.ts';
import { VolumeError } from '../errors.ts';
import type {
  DownwardItem,
  KeyToPath,
  ObjectItems,
  ProjectedSource,
  TokenProjection,
  Volume,
} from '../../objects/pod.ts';

export interface VolumeFile {
  readonly content: Buffer;
  /** Permission bits. */
  readonly mode: number;
}

export type Payload = ReadonlyMap<string, VolumeFile>;

export interface PayloadSources extends Pick<
  EnvironmentSources,
  'pod' | 'podIps' | 'hostIps' | 'allocatable'
> {
  readonly configMap: (name: string) => Readonly<Record<string, Buffer>> | undefined;
  readonly secret: (name: string) => Readonly<Record<string, Buffer>> | undefined;
  /** The token's text. */
  readonly token: (projection: TokenProjection) => string;
}

const usualMode = 0o644;

/** Whether a volume's files come from the API, and follow its changes. */
export function isProjection(volume: Volume): boolean {
  const { configMap, secret, projected, downwardAPI } = volume;
  return [configMap, secret, projected, downwardAPI].some((source) => source !== undefined);
}

/** What a volume is made of, all kinds in the form of the projected one. */
export function sourcesOf(volume: Volume): { sources: readonly ProjectedSource[]; mode: number } {
  const { configMap, secret, projected, downwardAPI } = volume;
  if (configMap !== undefined) return { sources: [{ configMap }], mode: configMap.defaultMode ?? usualMode };
  if (secret !== undefined) {
    const { secretName = '', defaultMode, ...rest } = secret;
    return { sources: [{ secret: { ...rest, name: secretName } }], mode: defaultMode ?? usualMode };
  }
  if (downwardAPI !== undefined)
    return { sources: [{ downwardAPI }], mode: downwardAPI.defaultMode ?? usualMode };
  return { sources: projected?.sources ?? [], mode: projected?.defaultMode ?? usualMode };
}

/** @throws VolumeError naming what is missing, or a path that leads out of the volume */
export function volumePayload(volume: Volume, given: PayloadSources): Payload {
  const { sources, mode } = sourcesOf(volume);
  const files = new Map<string, VolumeFile>();
  const put = (path: string, content: Buffer, own: number | undefined): void => {
    const parts = path.split('/');
    if (path === '' || path.startsWith('/') || parts.includes('..') || path.includes('\0'))
      throw new VolumeError(`volume ${volume.name}: path ${JSON.stringify(path)} leads out of the volume`);
    files.set(path, { content, mode: own ?? mode });
  };
  for (const source of sources) {
    if (source.configMap !== undefined) putObject(put, 'configmap', source.configMap, given.configMap);
    if (source.secret !== undefined) putObject(put, 'secret', source.secret, given.secret);
    for (const item of source.downwardAPI?.items ?? [])
      put(item.path, Buffer.from(downwardValue(item, given)), item.mode);
    if (source.serviceAccountToken !== undefined) {
      const projection = source.serviceAccountToken;
      put(projection.path, Buffer.from(given.token(projection)), undefined);
    }
  }
  return files;
}

type Put = (path: string, content: Buffer, mode: number | undefined) => void;

function putObject(
  put: Put,
  kind: string,
  { name = '', items, optional }: ObjectItems,
  read: PayloadSources['configMap'],
): void {
  const data = read(name);
  if (data === undefined) {
    if (optional === true) return;
    throw new VolumeError(`${kind} "${name}" not found`);
  }
  const wanted: readonly KeyToPath[] = items ?? Object.keys(data).map((key) => ({ key, path: key }));
  for (const { key, path, mode } of wanted) {
    const content = data[key];
    if (content !== undefined) put(path, content, mode);
    else if (optional !== true) throw new VolumeError(`${kind} "${name}" has no key ${JSON.stringify(key)}`);
  }
}

function downwardValue({ path, fieldRef, resourceFieldRef }: DownwardItem, given: PayloadSources): string {
  if (fieldRef !== undefined) {
    const value = fieldValue(fieldRef.fieldPath, given);
    if (value !== undefined) return value;
  }
  if (resourceFieldRef !== undefined) {
    const { spec } = given.pod;
    const container = [...spec.containers, ...(spec.initContainers ?? [])].find(
      ({ name }) => name === resourceFieldRef.containerName,
    );
    const value = container && resourceValue(resourceFieldRef, container, given.allocatable);
    if (value !== undefined) return value;
  }
  throw new VolumeError(`downwardAPI item ${path}: this field is not offered`);
}
