import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NetworkNamespace } from '@ambient/linux';

/** A cheap pod: a network namespace with an address, and no process inside. */
export interface CheapPod {
  readonly name: string;
  readonly ip: string;
  readonly ip6: string;
  /** As the node's /proc has it. */
  readonly pid: number;
  readonly namespace: NetworkNamespace;
}

const FIRST_PID = 1000;
const PODS_PER_SUBNET = 250;

/** Makes pods, and a node's /proc in which an agent finds their namespaces. */
export class PodNamespaces implements Disposable {
  readonly proc: string;
  readonly pods: CheapPod[] = [];
  #made = 0;
  #own: NetworkNamespace | undefined;

  /** @param directory of the node's files; `proc` is made there */
  constructor(directory: string) {
    this.proc = join(directory, 'proc');
    this.#own = NetworkNamespace.open('/proc/self/ns/net');
    this.#process(1, '0::/init.scope', this.#own);
  }

  make(name: string): CheapPod {
    const index = this.#made++;
    const namespace = NetworkNamespace.create();
    const ip = `10.80.${Math.floor(index / PODS_PER_SUBNET)}.${(index % PODS_PER_SUBNET) + 1}`;
    const ip6 = `fd80::${(index + 1).toString(16)}`;
    // Both ends stay inside: the pod reaches nobody, and looks like one that does.
    const lines = [
      'link set lo up',
      'link add eth0 type veth peer name far',
      `addr add ${ip}/32 dev eth0`,
      `addr add ${ip6}/128 dev eth0 nodad`,
      'link set eth0 up',
      'link set far up',
      'route add default dev eth0',
      'route add ::/0 dev eth0',
      '',
    ].join('\n');
    const { status, stderr } = namespace.enter(() =>
      spawnSync('ip', ['-batch', '-'], { input: lines, encoding: 'utf8' }),
    );
    if (status !== 0) throw new Error(`no network for a pod: ${stderr}`);
    const pod = { name, ip, ip6, pid: FIRST_PID + index, namespace };
    this.pods.push(pod);
    return pod;
  }

  /** Lets the agent find the pod by its uid. */
  publish({ pid, namespace }: CheapPod, uid: string): void {
    const slice = `kubepods-pod${uid.replaceAll('-', '_')}.slice`;
    this.#process(pid, `0::/kubepods.slice/${slice}/cri-containerd-1.scope`, namespace);
  }

  /** The pod's processes have ended, and its network is gone. */
  unmake(pod: CheapPod): void {
    rmSync(join(this.proc, String(pod.pid)), { recursive: true, force: true });
    this.pods.splice(this.pods.indexOf(pod), 1);
    pod.namespace.close();
  }

  #process(pid: number, cgroup: string, namespace: NetworkNamespace): void {
    const directory = join(this.proc, String(pid));
    mkdirSync(join(directory, 'ns'), { recursive: true });
    symlinkSync(`/proc/${process.pid}/fd/${namespace.fd}`, join(directory, 'ns/net'));
    symlinkSync(`/proc/${process.pid}/stat`, join(directory, 'stat'));
    writeFileSync(join(directory, 'cgroup'), `${cgroup}\n`);
  }

  [Symbol.dispose](): void {
    for (const { namespace } of this.pods) namespace.close();
    this.pods.length = 0;
    this.#own?.close();
    this.#own = undefined;
  }
}
