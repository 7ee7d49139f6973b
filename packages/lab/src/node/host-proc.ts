import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What hostPath `/proc` of a node shows: the processes of this node's pods, and the node itself as 1. */
export class HostProc {
  readonly #directory: string;

  /** @param directory the node's `host/proc`; what an earlier node left there is removed */
  constructor(directory: string) {
    this.#directory = directory;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }

  /** @param pid a process in the node's namespace */
  addNode(pid: number): void {
    this.#add('1', pid, '0::/init.scope');
  }

  /** @param containerId 64 hexadecimal digits */
  addPodProcess(pid: number, podUid: string, containerId: string): void {
    const slice = `kubepods-pod${podUid.replaceAll('-', '_')}.slice`;
    this.#add(String(pid), pid, `0::/kubepods.slice/${slice}/cri-containerd-${containerId}.scope`);
  }

  remove(pid: number): void {
    rmSync(join(this.#directory, String(pid)), { recursive: true, force: true });
  }

  #add(name: string, pid: number, cgroup: string): void {
    const folder = join(this.#directory, name);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, 'ns'), { recursive: true });
    writeFileSync(join(folder, 'cgroup'), `${cgroup}\n`);
    symlinkSync(`/proc/${pid}/stat`, join(folder, 'stat'));
    // Last: who sees it finds the rest.
    symlinkSync(`/proc/${pid}/ns/net`, join(folder, 'ns', 'net'));
  }
}
