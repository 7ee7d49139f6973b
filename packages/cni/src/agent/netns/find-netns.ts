import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { interfaceAddresses, NetworkNamespace } from '@ambient/linux';

/** Whose namespace is looked for. */
export interface PodToFind {
  readonly uid: string;
  /** One of them must be in the namespace; with none, the UID has to do. */
  readonly addresses: readonly string[];
}

interface Candidate {
  /** Of its process, below the node's /proc. */
  readonly directory: string;
  /** `device:inode` of the namespace. */
  readonly identity: string;
  /** When the process started, in ticks since boot: the oldest of a pod is its sandbox. */
  readonly startTicks: number;
}

/** Kubernetes' UIDs in the cgroup of a container: with "-" by cgroupfs, with "_" by systemd. */
const POD_UID = /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})/g;
/** Of a static pod the UID is a hash. */
const STATIC_POD_UID = /pod([0-9a-f]{32})(?=[/.]|$)/g;
/** Processes that are looked at before others get a turn: a node has thousands. */
const PROCESSES_AT_A_TIME = 100;

type Candidates = ReadonlyMap<string, readonly Candidate[]>;

/**
 * Finds network namespaces of pods that run already, by the node's processes (facts §8). One walk over them serves all who
 * ask at the same time, and those who ask later as far as it still holds: a walk a pod would make the work grow with the
 * square of the node.
 */
export class NetnsFinder {
  readonly #proc: string;
  readonly #list: () => readonly string[];
  #next: Promise<Candidates> | undefined;
  /** What the last walk has found. */
  #last: Candidates = new Map();

  /**
   * @param proc the node's /proc
   * @param list what is in there
   */
  constructor(proc: string, list: () => readonly string[] = () => readdirSync(proc)) {
    this.#proc = proc;
    this.#list = list;
  }

  /** The pod's namespace, open and owned by the caller; undefined when no process of the node tells. */
  async find(pod: PodToFind): Promise<NetworkNamespace | undefined> {
    const known = openFirst(pod, this.#last);
    if (known !== undefined) return known;
    // A walk that has begun may have passed the pod's processes before they were there.
    this.#next ??= Promise.resolve().then(() => {
      this.#next = undefined;
      return this.#walk();
    });
    return openFirst(pod, (this.#last = await this.#next));
  }

  async #walk(): Promise<Candidates> {
    const node = new Set([identityOf('/proc/self/ns/net'), identityOf(join(this.#proc, '1', 'ns', 'net'))]);
    const found = new Map<string, Candidate[]>();
    let looked = 0;
    for (const pid of this.#list()) {
      if (!/^\d+$/.test(pid)) continue;
      if (++looked % PROCESSES_AT_A_TIME === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      const directory = join(this.#proc, pid);
      const uid = podUidOf(readText(join(directory, 'cgroup')));
      if (uid === undefined) continue;
      const identity = identityOf(namespaceOf(directory));
      const startTicks = startTicksOf(readText(join(directory, 'stat')));
      if (identity === undefined || startTicks === undefined || node.has(identity)) continue;
      const candidates = found.get(uid);
      if (candidates === undefined) found.set(uid, [{ directory, identity, startTicks }]);
      else candidates.push({ directory, identity, startTicks });
    }
    for (const candidates of found.values()) candidates.sort((a, b) => a.startTicks - b.startTicks);
    return found;
  }
}

/** The pod that a process belongs to, by /proc/PID/cgroup (both hierarchies; the innermost pod counts). */
export function podUidOf(cgroup: string | undefined): string | undefined {
  if (cgroup === undefined) return undefined;
  const last = [...cgroup.matchAll(POD_UID)].at(-1)?.[1];
  return last?.replaceAll('_', '-') ?? [...cgroup.matchAll(STATIC_POD_UID)].at(-1)?.[1];
}

/** Field 22 of /proc/PID/stat (proc(5)); the command before may hold blanks and brackets. */
export function startTicksOf(stat: string | undefined): number | undefined {
  const field = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return field === undefined || !/^\d+$/.test(field) ? undefined : Number(field);
}

/** The namespace of the pod's oldest process that holds one of its addresses. */
function openFirst({ uid, addresses }: PodToFind, candidates: Candidates): NetworkNamespace | undefined {
  for (const candidate of candidates.get(uid) ?? []) {
    const namespace = openSame(candidate, uid);
    if (namespace === undefined) continue;
    if (holdsOneOf(namespace, addresses)) return namespace;
    namespace.close();
  }
  return undefined;
}

/** Both numbers, the process's and the namespace's, may have gone to others since. */
function openSame({ directory, identity, startTicks }: Candidate, uid: string): NetworkNamespace | undefined {
  let namespace: NetworkNamespace;
  try {
    namespace = NetworkNamespace.open(namespaceOf(directory));
  } catch {
    return undefined;
  }
  // Of a process that is there after its namespace was opened, it was the namespace.
  const same =
    namespace.identity() === identity &&
    startTicksOf(readText(join(directory, 'stat'))) === startTicks &&
    podUidOf(readText(join(directory, 'cgroup'))) === uid;
  if (same) return namespace;
  namespace.close();
  return undefined;
}

function holdsOneOf(namespace: NetworkNamespace, addresses: readonly string[]): boolean {
  if (addresses.length === 0) return true;
  const present = namespace.enter(interfaceAddresses);
  return addresses.some((address) => present.includes(address));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // the process has ended
  }
}

function namespaceOf(directory: string): string {
  return join(directory, 'ns', 'net');
}

/** `device:inode` of a namespace's file; undefined when it is gone, or may not be seen. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
