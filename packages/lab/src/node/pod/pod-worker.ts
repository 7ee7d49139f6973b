import { join } from 'node:path';

import { Backoff, sleep } from '@ambient/runtime';
import type { Logger } from '@ambient/runtime';
import { builtInPath, KubeStatusError } from '@ambient/kube';

import type { ContainerContext } from '../container/container-setup.ts';
import { writeNameFiles } from '../container/container-setup.ts';
import { graceMsOf, ManagedContainer } from '../container/managed-container.ts';
import { messageOf } from '../errors.ts';
import { Sandbox } from '../sandbox.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';
import type { PodHost } from './pod-host.ts';
import { decide } from './pod-lifecycle.ts';
import type { Records } from './pod-lifecycle.ts';
import type { NodePod } from '../../objects/pod.ts';
import { isSidecar, podName } from '../../objects/pod.ts';
import { podStatus } from './pod-status.ts';
import { StatusPublisher } from './status-publisher.ts';

/** For a pod whose object has vanished without being asked for an end. */
const orphanGraceMs = 1000;
const lastPatchAttempts = 20;

/** Why a pod comes to its end. */
type Ending =
  /** Its object has a deletion time, and is deleted for good at the end. */
  | 'deleted'
  /** Its object is gone. */
  | 'orphaned'
  /** The node itself ends: the object stays. */
  | 'node';

/**
 * Keeps one pod of the node as its object says. Whatever happens (a change of the object, an end of a process, a timer) wakes
 * it, and it does one step at a time: sandbox, volumes, containers, status; or the same backwards.
 */
export class PodWorker {
  readonly #host: PodHost;
  readonly #log: Logger;
  readonly #containers: readonly ManagedContainer[];
  readonly #publisher: StatusPublisher;
  readonly #volumes: PodVolumes;
  readonly #backoff = new Backoff({ initialMs: 500, maxMs: 10_000, jitter: 0.1 });
  readonly #startTimeMs: number;
  readonly #done = Promise.withResolvers<void>();
  #pod: NodePod;
  #sandbox: Sandbox | undefined;
  #podIps: readonly string[];
  #initialized = false;
  #ending: Ending | undefined;
  /** What its end may take. */
  #graceMs = Number.POSITIVE_INFINITY;
  #ended: { readonly reason: string; readonly message: string } | undefined;
  /** Nothing of it runs any more, and nothing will. */
  #over: boolean;
  #timer: Disposable | undefined;
  #deadline: Disposable | undefined;
  #running = false;
  #woken = false;

  constructor(host: PodHost, pod: NodePod) {
    this.#host = host;
    this.#pod = pod;
    this.#log = host.log.with({ pod: podName(pod) });
    const { metadata, spec, status } = pod;
    const { uid } = metadata;
    this.#startTimeMs = Date.parse(status?.startTime ?? '') || host.clock.nowMs();
    this.#over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    this.#podIps = spec.hostNetwork === true ? host.addresses : [];
    this.#publisher = new StatusPublisher(host.client, metadata, host.clock, this.#log);
    this.#volumes = new PodVolumes({
      directory: join(host.podsDirectory, uid),
      hostDirectory: host.hostDirectory,
      client: host.client,
      objects: host.objects,
      clusterCaPem: host.cluster.caPem,
      clock: host.clock,
      log: this.#log,
      onArrival: () => this.wake(),
    });
    const logDirectory = join(host.logsDirectory, `${metadata.namespace ?? ''}_${metadata.name}_${uid}`);
    const before = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const managed = (isInit: boolean) => (container: NodePod['spec']['containers'][number]) => {
      const known = before.find(({ name }) => name === container.name);
      const ran = known?.state.running !== undefined || known?.state.terminated !== undefined;
      return new ManagedContainer({
        spec: container,
        isInit,
        logDirectory,
        onChange: () => this.wake(),
        restarts: known === undefined ? 0 : known.restartCount + (ran ? 1 : 0),
      });
    };
    this.#containers = [
      ...(spec.initContainers ?? []).map(managed(true)),
      ...spec.containers.map(managed(false)),
    ];
    const { activeDeadlineSeconds } = spec;
    if (activeDeadlineSeconds !== undefined)
      this.#deadline = host.clock.setTimer(
        Math.max(0, this.#startTimeMs + activeDeadlineSeconds * 1000 - host.clock.nowMs()),
        () => this.#expire(),
      );
  }

  get pod(): NodePod {
    return this.#pod;
  }

  /** Resolves when nothing of the pod is left. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** A container of the pod, its default one without a name; undefined if it has not been started yet. */
  container(name: string | undefined): ManagedContainer | undefined {
    const wanted =
      name ??
      this.#pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'] ??
      this.#pod.spec.containers[0]?.name;
    return this.#containers.find(({ spec, hasRun }) => spec.name === wanted && hasRun);
  }

  /** The object has changed. */
  update(pod: NodePod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp !== undefined) this.#end('deleted', graceMsOf(pod));
    else this.wake();
  }

  /** The object is gone. */
  orphan(): void {
    this.#end('orphaned', orphanGraceMs);
  }

  /** Ends the pod's processes, since the node ends; its object is left. */
  async stop(graceMs: number): Promise<void> {
    this.#end('node', graceMs);
    await this.done;
  }

  wake(): void {
    this.#woken = true;
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#woken) {
        this.#woken = false;
        await this.#step();
      }
    } catch (error) {
      // A defect: this pod stands still for a while, others are not concerned.
      this.#log.error('the pod could not be looked after, trying again', { error: messageOf(error) });
      this.#wakeIn(this.#backoff.nextMs());
    } finally {
      this.#running = false;
    }
    if (this.#woken) this.wake();
  }

  async #step(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#ending !== undefined) return this.#tearDown();
    if (this.#over) return;
    this.#publish();
    if (this.#ended !== undefined) return this.#finish();
    const context = await this.#prepare();
    if (context === undefined || this.#ending !== undefined) return;
    const { start, wakeAtMs, initialized, finished } = decide(
      this.#pod.spec,
      this.#records(),
      this.#initialized,
      this.#host.clock.nowMs(),
    );
    this.#initialized = initialized || this.#initialized;
    if (finished !== undefined) return this.#finish();
    for (const name of start) {
      if (this.#ending !== undefined) return;
      await this.#containers.find(({ spec }) => spec.name === name)?.start(context);
    }
    this.#publish();
    if (wakeAtMs !== undefined) this.#wakeIn(wakeAtMs - this.#host.clock.nowMs());
  }

  /** Sandbox and volumes; undefined if they are not there yet and will be tried again. */
  async #prepare(): Promise<ContainerContext | undefined> {
    const host = this.#host;
    const pod = this.#pod;
    let failure = 'FailedCreatePodSandBox';
    try {
      if (this.#sandbox === undefined && pod.spec.hostNetwork !== true) await this.#makeSandbox();
      if (this.#ending !== undefined) return undefined;
      failure = 'FailedMount';
      const sandboxPid = this.#sandbox?.pid ?? host.nodePid;
      const context = { host, pod, sandboxPid, podIps: this.#podIps, volumes: this.#volumes };
      const { addresses: hostIps, allocatable } = host;
      await this.#volumes.prepare({ pod, podIps: this.#podIps, hostIps, allocatable });
      writeNameFiles(context);
      this.#backoff.reset();
      return context;
    } catch (error) {
      const what = failure === 'FailedMount' ? 'MountVolume.SetUp failed' : 'Failed to create pod sandbox';
      host.events.record(pod, 'Warning', failure, `${what}: ${messageOf(error)}`);
      this.#publish();
      this.#wakeIn(this.#backoff.nextMs());
      return undefined;
    }
  }

  async #makeSandbox(): Promise<void> {
    const { hostDirectory, runPlugin, hostProc } = this.#host;
    const sandbox = await Sandbox.create(this.#pod, { hostDirectory, runPlugin });
    this.#sandbox = sandbox;
    this.#podIps = sandbox.podIps;
    hostProc.addPodProcess(sandbox.pid, this.#pod.metadata.uid, sandbox.id);
    void sandbox.ended.then(() => {
      if (this.#sandbox === sandbox) void this.#lostSandbox(sandbox);
    });
    this.#publish();
  }

  /** Somebody has ended the holder of the namespaces: the pod begins anew, in other ones. */
  async #lostSandbox(sandbox: Sandbox): Promise<void> {
    this.#host.events.record(
      this.#pod,
      'Normal',
      'SandboxChanged',
      'Pod sandbox changed, it will be killed and re-created.',
    );
    await Promise.all(this.#containers.map((container) => container.stop(0)));
    await this.#closeSandbox(sandbox);
    for (const container of this.#containers) container.reset();
    this.#initialized = false;
    this.wake();
  }

  async #closeSandbox(sandbox: Sandbox): Promise<void> {
    if (this.#sandbox === sandbox) this.#sandbox = undefined;
    this.#host.hostProc.remove(sandbox.pid);
    try {
      await sandbox.close();
    } catch (error) {
      this.#host.events.record(this.#pod, 'Warning', 'FailedKillPod', messageOf(error));
    }
  }

  async #discardSandbox(sandbox: Sandbox): Promise<void> {
    this.#sandbox = undefined;
    this.#host.hostProc.remove(sandbox.pid);
    await sandbox.discard();
  }

  /** Its main containers are over: ends the sidecars, and gives back everything but logs and status. */
  async #finish(): Promise<void> {
    await this.#stopContainers(graceMsOf(this.#pod));
    this.#over = true;
    this.#deadline?.[Symbol.dispose]();
    if (this.#sandbox !== undefined) await this.#closeSandbox(this.#sandbox);
    this.#volumes.close();
    this.#publish();
  }

  #expire(): void {
    if (this.#over || this.#ending !== undefined) return;
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#ended = { reason: 'DeadlineExceeded', message };
    this.#host.events.record(this.#pod, 'Normal', 'DeadlineExceeded', message);
    this.wake();
  }

  #end(ending: Ending, graceMs: number): void {
    this.#ending = this.#ending === 'orphaned' ? 'orphaned' : ending;
    this.#graceMs = Math.min(this.#graceMs, graceMs);
    // Containers that are being ended already may get less time than they were given before.
    if (this.#running) void this.#stopContainers(graceMs);
    this.wake();
  }

  async #tearDown(): Promise<void> {
    this.#deadline?.[Symbol.dispose]();
    await this.#stopContainers(this.#graceMs);
    if (this.#sandbox !== undefined) {
      if (this.#ending === 'node') await this.#discardSandbox(this.#sandbox);
      else await this.#closeSandbox(this.#sandbox);
    }
    this.#volumes.close();
    if (this.#ending === 'deleted') {
      if (!this.#over) this.#publish();
      await this.#publisher.settled();
      await this.#deleteObject();
    }
    this.#publisher.stop();
    if (this.#ending !== 'node') for (const container of this.#containers) container.forget();
    this.#woken = false;
    this.#done.resolve();
  }

  /** Main containers together, then sidecars from the last to the first, all within the same time. */
  async #stopContainers(graceMs: number): Promise<void> {
    const { clock } = this.#host;
    const deadlineMs = clock.nowMs() + graceMs;
    const sidecars = this.#containers.filter(({ spec, isInit }) => isInit && isSidecar(spec));
    const others = this.#containers.filter((container) => !sidecars.includes(container));
    await Promise.all(others.map((container) => container.stop(graceMs)));
    for (const sidecar of sidecars.toReversed()) await sidecar.stop(Math.max(0, deadlineMs - clock.nowMs()));
  }

  async #deleteObject(): Promise<void> {
    const { name, namespace, uid } = this.#pod.metadata;
    for (let attempt = 0; attempt < lastPatchAttempts && this.#ending === 'deleted'; attempt++) {
      try {
        await this.#host.client.request({
          method: 'DELETE',
          path: builtInPath('Pod', namespace, name),
          body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid } },
        });
        return;
      } catch (error) {
        if (error instanceof KubeStatusError && (error.status === 404 || error.status === 409)) return;
        this.#log.warn('a pod that has ended is not deleted yet', { error: messageOf(error) });
        await sleep(this.#host.clock, this.#backoff.nextMs());
      }
    }
  }

  #records(): Records {
    return new Map(this.#containers.map(({ spec, record }) => [spec.name, record]));
  }

  #publish(): void {
    const status = podStatus({
      pod: this.#pod,
      records: this.#records(),
      initialized: this.#initialized,
      sandboxReady: this.#sandbox !== undefined || this.#pod.spec.hostNetwork === true,
      podIps: this.#podIps,
      hostIps: this.#host.addresses,
      startTimeMs: this.#startTimeMs,
      ended: this.#ended,
      nowMs: this.#host.clock.nowMs(),
    });
    this.#publisher.publish(status);
  }

  #wakeIn(ms: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#host.clock.setTimer(Math.max(0, ms), () => this.wake());
  }
}
