import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the controller of CPU time is mounted: version 1 beside others, version 2 as the only one. */
const VERSION_1 = '/sys/fs/cgroup/cpu';
const VERSION_2 = '/sys/fs/cgroup';
/** Of the kernel, and what a kubelet uses for limits. */
const PERIOD_US = 100_000;
const MAX_SHARES = 262_144;

/** What a kubelet makes of a pod's requests and limits of CPU. */
export interface CpuShare {
  /** 1024 for a request of one CPU; 2 for a pod that requests nothing. */
  readonly shares: number;
  /** A limit, in CPUs. */
  readonly limit?: number;
}

/** The kernel lets this process divide CPU time between cgroups, or not. */
export class CpuGroupError extends Error {
  override readonly name = 'CpuGroupError';
  readonly code = 'ERR_CPU_GROUP';
}

/**
 * A cgroup with a share of the CPUs, as a pod has one. Niceness is no substitute: with sched_autogroup_enabled it only counts
 * within a session, and each program of a lab is a session of its own.
 */
export class CpuGroup implements Disposable {
  readonly #path: string;

  /** @throws CpuGroupError where cgroups are not this process's to make */
  constructor(name: string, { shares, limit }: CpuShare) {
    const first = existsSync(join(VERSION_1, 'cpu.shares'));
    this.#path = join(first ? VERSION_1 : VERSION_2, `ambient-bench-${process.pid}-${Date.now()}-${name}`);
    try {
      if (!first) writeFileSync(join(VERSION_2, 'cgroup.subtree_control'), '+cpu');
      mkdirSync(this.#path);
      if (first) this.#write('cpu.shares', shares);
      // As the kubelet converts them: KEP-2254, "Phase 1: Convert from cgroups v1 settings to v2".
      else this.#write('cpu.weight', Math.floor(1 + ((shares - 2) * 9999) / (MAX_SHARES - 2)));
      if (limit === undefined) return;
      if (first) this.#write('cpu.cfs_quota_us', limit * PERIOD_US);
      else this.#write('cpu.max', `${limit * PERIOD_US} ${PERIOD_US}`);
    } catch (cause) {
      const remedy =
        'run as root on a machine with the cpu controller of cgroups, outside of a container that shares its own';
      throw new CpuGroupError(`no cgroup with a share of the CPUs: ${remedy}`, { cause });
    }
  }

  #write(file: string, value: number | string): void {
    writeFileSync(join(this.#path, file), String(value));
  }

  /** Moves a process, with all its threads. */
  add(pid: number): void {
    this.#write('cgroup.procs', pid);
  }

  /** To be called when the last process in it has ended. */
  [Symbol.dispose](): void {
    rmdirSync(this.#path);
  }
}
