// From a pod's container to what its process is started with.
import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { commandLine } from '../../images/catalog.ts';
import { ContainerError, messageOf } from '../errors.ts';
import type { PodHost } from '../pod/pod-host.ts';
import type { Container, NodePod } from '../../objects/pod.ts';
import { hostNameOf } from '../sandbox.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import { volumeMountsOf } from '../volumes/pod-volumes.ts';
import type { ContainerOptions } from './container-process.ts';
import { containerEnvironment, expandReferences } from './environment.ts';
import { isOutOfReach, machineFiles } from './machine-files.ts';
import { mountPlan } from './mount-plan.ts';
import type { Mount } from './mount-plan.ts';
import { hostsFile, resolvConf } from './name-files.ts';

/** What a container of a pod with a sandbox is made from. */
export interface ContainerContext {
  readonly host: PodHost;
  readonly pod: NodePod;
  readonly sandboxPid: number;
  readonly podIps: readonly string[];
  readonly volumes: PodVolumes;
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @throws ContainerError ErrImagePull, CreateContainerConfigError */
export function containerOptions(container: Container, context: ContainerContext): ContainerOptions {
  const { host, pod, volumes, podIps } = context;
  let image;
  try {
    image = host.images.find(container.image ?? '');
  } catch (error) {
    throw new ContainerError('ErrImagePull', messageOf(error), { cause: error });
  }
  const environment = containerEnvironment(container, baseEnvironment(context), {
    pod,
    podIps,
    hostIps: host.addresses,
    allocatable: host.allocatable,
    configMap: (name) => volumes.text('ConfigMap', name),
    secret: (name) => volumes.text('Secret', name),
  });
  const command = commandLine(image, container, (text) => expandReferences(text, environment));
  if (command.length === 0)
    throw new ContainerError('CreateContainerConfigError', 'no command specified: the image has none');
  const uid = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser ?? 0;
  const gid = container.securityContext?.runAsGroup ?? pod.spec.securityContext?.runAsGroup ?? 0;
  const canChange = host.isMappedUser(uid) && host.isMappedUser(gid);
  let mounts;
  try {
    mounts = containerMounts(container, context);
    return {
      sandboxPid: context.sandboxPid,
      ownHostName: pod.spec.hostNetwork !== true,
      ownProcesses: host.canOwnProcesses && !seesNodeProcesses(pod, container),
      steps: mountPlan(mounts, machineFiles),
      stage: host.stage,
      readOnlyRoot: true,
      workingDirectory: container.workingDir,
      user: (uid === 0 && gid === 0) || !canChange ? undefined : { uid, gid },
      environment,
      command,
    };
  } catch (error) {
    throw new ContainerError('CreateContainerConfigError', messageOf(error), { cause: error });
  }
}

/** Writes the files of names that the pod's containers share. */
export function writeNameFiles({ host, pod, podIps }: ContainerContext): void {
  const directory = join(host.podsDirectory, pod.metadata.uid, 'etc');
  mkdirSync(directory, { recursive: true });
  const hostName = hostNameOf(pod);
  const domain = `${pod.metadata.namespace ?? 'default'}.svc.${host.cluster.domain}`;
  writeFileSync(join(directory, 'hosts'), hostsFile(pod, podIps, hostName, domain));
  writeFileSync(join(directory, 'hostname'), `${hostName}\n`);
  writeFileSync(join(directory, 'resolv.conf'), resolvConf(pod, host.cluster, machineResolvConf()));
}

function machineResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return ''; // a machine without a resolver
  }
}

function baseEnvironment({ host, pod }: ContainerContext): Record<string, string> {
  const { apiAddress, apiPort } = host.cluster;
  const port = String(apiPort);
  return {
    PATH: usualPath,
    HOME: '/root',
    HOSTNAME: pod.spec.hostNetwork === true ? host.nodeName : hostNameOf(pod),
    KUBERNETES_SERVICE_HOST: apiAddress,
    KUBERNETES_SERVICE_PORT: port,
    KUBERNETES_SERVICE_PORT_HTTPS: port,
    KUBERNETES_PORT: `tcp://${apiAddress.includes(':') ? `[${apiAddress}]` : apiAddress}:${port}`,
  };
}

/** A container that mounts the node's /proc reads process numbers there, which have to be its own as well. */
function seesNodeProcesses({ spec }: NodePod, container: Container): boolean {
  const proc = new Set(
    (spec.volumes ?? [])
      .filter(({ hostPath }) => hostPath?.path.replace(/\/+$/, '') === '/proc')
      .map(({ name }) => name),
  );
  return (container.volumeMounts ?? []).some(({ name }) => proc.has(name));
}

function containerMounts(container: Container, { host, pod, volumes }: ContainerContext): Mount[] {
  const etc = join(host.podsDirectory, pod.metadata.uid, 'etc');
  const files = pod.spec.hostNetwork === true ? ['resolv.conf'] : ['resolv.conf', 'hosts', 'hostname'];
  return [
    ...['/tmp', '/run', '/dev/shm'].map((target) => ({
      source: undefined,
      target,
      file: false,
      readOnly: false,
    })),
    ...host.programDirectories
      .filter(isOutOfReach)
      .map((path) => ({ source: path, target: path, file: false, readOnly: true })),
    ...files.map((name) => ({
      source: join(etc, name),
      target: `/etc/${name}`,
      file: true,
      readOnly: false,
    })),
    ...volumeMountsOf(pod, container).map(({ name, mountPath, subPath, readOnly }) => {
      const source = subPathOf(volumes.source(name), subPath);
      const file = statSync(source, { throwIfNoEntry: false })?.isDirectory() === false;
      return { source, target: mountPath, file, readOnly: readOnly === true };
    }),
  ];
}

function subPathOf(source: string, subPath: string | undefined): string {
  if (subPath === undefined || subPath === '') return source;
  if (subPath.startsWith('/') || subPath.split('/').includes('..'))
    throw new RangeError(`subPath ${JSON.stringify(subPath)} leads out of its volume`);
  const path = join(source, subPath);
  if (machineFiles.kind(path) === 'none') mkdirSync(path, { recursive: true });
  // Files of projections are links, which lead nowhere from elsewhere.
  return realpathSync(path);
}
