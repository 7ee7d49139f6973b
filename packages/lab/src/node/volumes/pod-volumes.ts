import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

import type { Clock, Logger } from '@ambient/runtime';
import type { KubeClient } from '@ambient/kube';

import type { EnvironmentSources } from '../container/environment.ts';
import { messageOf, VolumeError } from '../errors.ts';
import type { Container, NodePod, TokenProjection, Volume } from '../../objects/pod.ts';
import { rootCaConfigMap } from '../../objects/well-known.ts';
import { writeAtomically } from './atomic-writer.ts';
import { isProjection, sourcesOf, volumePayload } from './payload.ts';
import { PodTokens } from './pod-tokens.ts';
import type { ObjectKind, WatchedObjects } from './watched-objects.ts';

export interface PodVolumesOptions {
  /** The pod's own directory on the machine. */
  readonly directory: string;
  /** What hostPath volumes of this node name. */
  readonly hostDirectory: string;
  readonly client: KubeClient;
  readonly objects: WatchedObjects;
  readonly clusterCaPem: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** An object has changed that the volumes were waiting for. */
  readonly onArrival: () => void;
}

export type VolumeContext = Pick<EnvironmentSources, 'pod' | 'podIps' | 'hostIps' | 'allocatable'>;

const accountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount';
const accountVolume = 'kube-api-access';
const tokenRetryMs = 5000;

/** The volumes of one pod: made before its first container, kept in step with their objects, removed with the pod. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  readonly #tokens: PodTokens;
  readonly #unfollow: (() => void)[] = [];
  readonly #followed = new Set<string>();
  #context: VolumeContext | undefined;
  #timer: Disposable | undefined;
  #complete = false;
  #closed = false;

  constructor(options: PodVolumesOptions) {
    this.#options = options;
    this.#tokens = new PodTokens(options.client, options.clock);
  }

  /**
   * Makes what is not there yet; may be called again after a failure, and when the pod has changed.
   *
   * @throws VolumeError for an object or a host path that is missing, and what the API server refuses
   */
  async prepare(context: VolumeContext): Promise<void> {
    this.#context = context;
    const { pod } = context;
    const volumes = volumesOf(pod);
    for (const [kind, name] of objectsOf(pod, volumes)) await this.#follow(pod, kind, name);
    await this.#tokens.refresh(pod, projectionsOf(volumes));
    for (const volume of volumes) this.#make(volume, context);
    this.#complete = true;
    this.#renewLater();
  }

  /** Text of an object that the pod refers to, for its environment. */
  text(kind: ObjectKind, name: string): Readonly<Record<string, string>> | undefined {
    const data = this.#data(kind, name);
    return (
      data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString('utf8')]))
    );
  }

  /** Where on the machine a volume of the pod is. @throws VolumeError for one that it has not */
  source(name: string): string {
    const volume = volumesOf(this.#context!.pod).find((each) => each.name === name);
    if (volume === undefined) throw new VolumeError(`the pod has no volume ${JSON.stringify(name)}`);
    return this.#place(volume);
  }

  /** Removes the files; nothing that is on the node's own paths. */
  close(): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    for (const unfollow of this.#unfollow) unfollow();
    rmSync(this.#options.directory, { recursive: true, force: true });
  }

  async #follow(pod: NodePod, kind: ObjectKind, name: string): Promise<void> {
    const key = `${kind}/${name}`;
    if (this.#followed.has(key)) return;
    this.#followed.add(key);
    const { namespace = '' } = pod.metadata;
    const end = await this.#options.objects.follow(kind, namespace, name, () => this.#rewrite());
    if (this.#closed) end();
    else this.#unfollow.push(end);
  }

  #data(kind: ObjectKind, name: string): Readonly<Record<string, Buffer>> | undefined {
    const { namespace = '' } = this.#context!.pod.metadata;
    const found = this.#options.objects.data(kind, namespace, name);
    // Where no controller publishes the cluster's certificate in each namespace, the node knows it.
    if (found !== undefined || kind !== 'ConfigMap' || name !== rootCaConfigMap) return found;
    return { 'ca.crt': Buffer.from(this.#options.clusterCaPem) };
  }

  #make(volume: Volume, context: VolumeContext): void {
    const place = this.#place(volume);
    if (volume.hostPath !== undefined) makeHostPath(place, volume.hostPath.type ?? '');
    else if (isProjection(volume)) this.#write(volume, context);
    else {
      mkdirSync(place, { recursive: true });
      chmodSync(place, 0o777);
    }
  }

  #write(volume: Volume, context: VolumeContext): void {
    const payload = volumePayload(volume, {
      ...context,
      configMap: (name) => this.#data('ConfigMap', name),
      secret: (name) => this.#data('Secret', name),
      token: (projection) => this.#tokens.text(projection),
    });
    writeAtomically(this.#place(volume), payload);
  }

  /** After a change: what can no longer be made stays as it was, as with a kubelet. */
  #rewrite(): void {
    const context = this.#context;
    if (this.#closed || context === undefined) return;
    if (!this.#complete) {
      this.#options.onArrival();
      return;
    }
    for (const volume of volumesOf(context.pod).filter(isProjection)) {
      try {
        this.#write(volume, context);
      } catch (error) {
        this.#options.log.debug('a volume stays as it was', { volume: volume.name, error: messageOf(error) });
      }
    }
  }

  #renewLater(afterMs?: number): void {
    this.#timer?.[Symbol.dispose]();
    const { renewAtMs } = this.#tokens;
    if (renewAtMs === undefined || this.#closed) return;
    const { clock, log } = this.#options;
    this.#timer = clock.setTimer(afterMs ?? Math.max(0, renewAtMs - clock.nowMs()), () => {
      const { pod } = this.#context!;
      this.#tokens.refresh(pod, projectionsOf(volumesOf(pod))).then(
        () => {
          this.#rewrite();
          this.#renewLater();
        },
        (error: unknown) => {
          log.warn('a token is not renewed yet, trying again', { error: messageOf(error) });
          this.#renewLater(tokenRetryMs);
        },
      );
    });
  }

  #place(volume: Volume): string {
    const { directory, hostDirectory } = this.#options;
    if (volume.hostPath === undefined) return join(directory, 'volumes', volume.name);
    return join(hostDirectory, normalize(`/${volume.hostPath.path}`));
  }
}

/** The pod's volumes, with the one that every pod gets unless it says otherwise. */
function volumesOf({ spec }: NodePod): readonly Volume[] {
  const volumes = spec.volumes ?? [];
  if (!wantsAccount(spec)) return volumes;
  return [...volumes, accountVolumeSpec];
}

const accountVolumeSpec: Volume = {
  name: accountVolume,
  projected: {
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
      { configMap: { name: rootCaConfigMap, items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] },
      },
    ],
  },
};

function wantsAccount(spec: NodePod['spec']): boolean {
  return spec.automountServiceAccountToken !== false;
}

/** What a container mounts, with the service account's directory unless it mounts something there itself. */
export function volumeMountsOf(pod: NodePod, container: Container): NonNullable<Container['volumeMounts']> {
  const mounts = container.volumeMounts ?? [];
  const own = mounts.some(({ mountPath }) => mountPath.replace(/\/+$/, '') === accountDirectory);
  if (own || !wantsAccount(pod.spec)) return mounts;
  return [...mounts, { name: accountVolume, mountPath: accountDirectory, readOnly: true }];
}

function projectionsOf(volumes: readonly Volume[]): TokenProjection[] {
  return volumes.flatMap((volume) =>
    sourcesOf(volume).sources.flatMap(({ serviceAccountToken }) =>
      serviceAccountToken === undefined ? [] : [serviceAccountToken],
    ),
  );
}

/** Every ConfigMap and Secret that volumes and environments of a pod refer to. */
function objectsOf({ spec }: NodePod, volumes: readonly Volume[]): [ObjectKind, string][] {
  const found: [ObjectKind, string | undefined][] = [];
  for (const volume of volumes)
    for (const { configMap, secret } of sourcesOf(volume).sources)
      found.push(['ConfigMap', configMap?.name], ['Secret', secret?.name]);
  for (const { env = [], envFrom = [] } of [...spec.containers, ...(spec.initContainers ?? [])]) {
    for (const { configMapRef, secretRef } of envFrom)
      found.push(['ConfigMap', configMapRef?.name], ['Secret', secretRef?.name]);
    for (const { valueFrom } of env)
      found.push(['ConfigMap', valueFrom?.configMapKeyRef?.name], ['Secret', valueFrom?.secretKeyRef?.name]);
  }
  return found.filter((entry): entry is [ObjectKind, string] => entry[1] !== undefined);
}

/** core/v1 HostPathType; without a type, a directory is made where nothing is. */
function makeHostPath(path: string, type: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) {
    const isRight =
      type === '' ||
      (type.startsWith('Directory') && found.isDirectory()) ||
      (type.startsWith('File') && found.isFile()) ||
      (type === 'Socket' && found.isSocket()) ||
      (type === 'CharDevice' && found.isCharacterDevice());
    if (!isRight) throw new VolumeError(`hostPath type check failed: ${path} is not a ${type}`);
    return;
  }
  switch (type) {
    case '':
    case 'DirectoryOrCreate':
    case 'Directory':
      mkdirSync(path, { recursive: true });
      break;
    case 'FileOrCreate':
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '');
      break;
    default:
      throw new VolumeError(`hostPath type check failed: ${path} is not a ${type}`);
  }
}
