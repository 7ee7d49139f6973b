import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkNamespace } from '@ambient/linux';

/** Kernel settings of a pod's namespace while it is captured, by their place below /proc/sys/net. */
const capturedValues: Readonly<Record<string, string>> = {
  /*
   * Connections that were open before the pod is captured are none of the mesh's: connection tracking must not take their
   * packets for the beginning of new ones, which redirection would break. It also keeps a peer from getting past
   * redirection by opening a tracked connection with something else than a SYN.
   */
  'netfilter/nf_conntrack_tcp_loose': '0',
  /* A listener that ends hands the connections in its queue to its successor: ztunnel is replaced without a reset. */
  'ipv4/tcp_migrate_req': '1',
  /*
   * ztunnel dials the application from the client's address, so the ports of one client's ended connections wait here for a
   * minute: beyond some 470 new connections a second there would be none left.
   */
  'ipv4/tcp_tw_reuse': '1',
};

/** The kernel's defaults, which a pod has again when it is released. */
const releasedValues: Readonly<Record<string, string>> = {
  'netfilter/nf_conntrack_tcp_loose': '1',
  'ipv4/tcp_migrate_req': '0',
  // Loopback only.
  'ipv4/tcp_tw_reuse': '2',
};

/** A setting that could not be made, and why. */
export interface SysctlProblem {
  readonly setting: string;
  readonly problem: string;
}

/**
 * Sets what a captured pod needs of the kernel, in its own namespace.
 * @param proc the node's /proc: a container's own is read-only unless it is privileged
 * @returns what could not be set; capture works without, for new connections
 */
export function setCapturedSysctls(namespace: NetworkNamespace, proc: string): readonly SysctlProblem[] {
  return setAll(namespace, capturedValues, proc);
}

/** Gives the kernel's defaults back. */
export function resetSysctls(namespace: NetworkNamespace, proc: string): readonly SysctlProblem[] {
  return setAll(namespace, releasedValues, proc);
}

function setAll(
  namespace: NetworkNamespace,
  values: Readonly<Record<string, string>>,
  proc: string,
): readonly SysctlProblem[] {
  // /proc/sys/net is that of the thread that opens it.
  return namespace.enter(() =>
    Object.entries(values).flatMap(([name, value]) => {
      const problem = setOne(name, value, proc);
      return problem === undefined ? [] : [{ setting: `net.${name.replaceAll('/', '.')}`, problem }];
    }),
  );
}

function setOne(name: string, value: string, proc: string): string | undefined {
  let problem: string | undefined;
  for (const root of new Set(['/proc', proc])) {
    const path = join(root, 'sys/net', name);
    if (!existsSync(path)) {
      problem ??= `${path} does not exist on this kernel`;
      continue;
    }
    try {
      writeFileSync(path, value);
      return undefined;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  return problem;
}
