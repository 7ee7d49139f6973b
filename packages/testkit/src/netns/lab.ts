import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { NetnsError } from './errors.ts';
import { LabProcess } from './lab-process.ts';
import { Netns, NOBODY } from './namespace.ts';
import type { RunOptions } from './namespace.ts';
import { formatRunId, newRunId, RUN_ID_VARIABLE } from './run-id.ts';
import { LAB_DIRECTORY_PREFIX, sweepAbandonedLabs } from './sweep.ts';

export interface LabOptions {
  /** Where the lab keeps its directory of logs and files; default the system's directory for temporary files. */
  readonly directory?: string;
  /** Leave the directory when the lab is destroyed, to look at the logs. */
  readonly keepDirectory?: boolean;
}

export interface NetworkOptions {
  /** First three bytes of an IPv4 /24, as `10.77.0`; members get .1, .2 and so on. */
  readonly prefix4?: string;
  /** An IPv6 /64 up to its `::`, as `fd77::`; members get 1, 2 and so on. null: no IPv6. */
  readonly prefix6?: string | null;
  /** Bytes; default the kernel's 1500. */
  readonly mtu?: number;
}

/** More than any test needs; a loop that forgets to stop fails here and not by exhausting the machine. */
const MAX_NAMESPACES = 64;
/**
 * Without detection of duplicates on the link's own address (fe80::) too: for the first seconds of a link the kernel asks for
 * no neighbour on behalf of packets whose source it has translated, since it has no address of the link to ask from.
 */
const PREPARE_NAMESPACE =
  'ip link set lo up && { [ ! -e /proc/sys/net/ipv6 ] || echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; }';
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Labs of this process that still hold something, for the handlers of exit and of signals. */
const live = new Set<NetnsLab>();

/**
 * A set of network namespaces, the links between them and the processes inside, all removed together.
 *
 * Works as root and as the root of a user namespace (`unshare -Urmn`): nothing outside the lab's own namespaces and its
 * directory is touched, not even /run/netns. Each namespace is held by a process that the kernel kills when the owner
 * dies, so a crash leaves at most a directory, which the next lab sweeps.
 */
export class NetnsLab {
  readonly runId: string;
  /** The lab's own directory, for logs and for whatever a test writes. */
  readonly directory: string;
  /** False inside a user namespace that maps one user only: then a proxy is told apart by its mark. */
  readonly canChangeUser: boolean;
  readonly #keepDirectory: boolean;
  readonly #processes = new Set<LabProcess>();
  readonly #namespaces: Netns[] = [];
  readonly #logNames = new Map<string, number>();
  #closed = false;

  private constructor(parent: string, options: LabOptions) {
    this.runId = formatRunId(newRunId());
    this.directory = join(parent, `${LAB_DIRECTORY_PREFIX}${this.runId}`);
    this.#keepDirectory = options.keepDirectory ?? false;
    this.canChangeUser = userIsMapped(NOBODY);
    // Programs of other users (uid option) write their files and sockets here too.
    mkdirSync(this.directory, { recursive: true, mode: 0o755 });
  }

  /** Sweeps what dead labs left, then makes an empty one. */
  static create(options: LabOptions = {}): NetnsLab {
    const parent = options.directory ?? tmpdir();
    mkdirSync(parent, { recursive: true });
    sweepAbandonedLabs(parent);
    const lab = new NetnsLab(parent, options);
    if (live.size === 0) addExitHandlers();
    live.add(lab);
    return lab;
  }

  get namespaces(): readonly Netns[] {
    return this.#namespaces;
  }

  /** Makes a namespace with its loopback up. The name is for messages: names of two labs do not meet. */
  async namespace(name: string): Promise<Netns> {
    if (this.#namespaces.length >= MAX_NAMESPACES)
      throw new NetnsError('ERR_NETNS_COMMAND', `a lab holds at most ${MAX_NAMESPACES} namespaces`);
    const holder = await this.launch({
      name: `${name}-holder`,
      argv: [
        'setpriv',
        '--pdeathsig=KILL',
        'unshare',
        '--net',
        '--',
        'sh',
        '-c',
        'echo held; exec sleep infinity',
      ],
    });
    try {
      await holder.waitForLine(/^held$/);
    } catch (cause) {
      throw new NetnsError(
        'ERR_NETNS_FORBIDDEN',
        'cannot make a network namespace: run as root or inside `unshare -Urmn`; if that is refused too, the kernel ' +
          'forbids it (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)',
        { cause },
      );
    }
    const netns = new Netns(name, this, holder);
    this.#namespaces.push(netns);
    await netns.must(['sh', '-c', PREPARE_NAMESPACE]);
    return netns;
  }

  /**
   * Joins namespaces by one network: two by a veth pair, more through a bridge in a namespace of its own. Appends to each
   * member's `addresses`; addresses are usable on return (no duplicate address detection).
   */
  async network(members: readonly Netns[], options: NetworkOptions = {}): Promise<void> {
    const prefix4 = options.prefix4 ?? '10.77.0';
    const prefix6 = options.prefix6 === undefined ? 'fd77::' : options.prefix6;
    const mtu = options.mtu === undefined ? '' : ` mtu ${options.mtu}`;
    const first = members[0];
    if (first === undefined || members.length < 2)
      throw new NetnsError('ERR_NETNS_COMMAND', 'a network joins two or more namespaces');
    const interfaces = members.map((member) => member.nextInterface());
    if (members.length === 2) {
      const peer = `name ${interfaces[1]!}${mtu} netns ${members[1]!.holderPid}`;
      await batch(first, [`link add ${interfaces[0]!}${mtu} type veth peer ${peer}`]);
    } else {
      const bridge = await this.namespace('bridge');
      await batch(bridge, [
        `link add br0${mtu} type bridge`,
        'link set br0 up',
        ...members.flatMap((member, index) => [
          `link add to${index}${mtu} type veth peer name ${interfaces[index]!}${mtu} netns ${member.holderPid}`,
          `link set to${index} master br0 up`,
        ]),
      ]);
    }
    for (const [index, member] of members.entries()) {
      const device = interfaces[index]!;
      const address4 = `${prefix4}.${index + 1}`;
      const lines = [`addr add ${address4}/24 dev ${device}`, `link set ${device} up`];
      member.addresses.push(address4);
      if (prefix6 !== null) {
        const address6 = `${prefix6}${(index + 1).toString(16)}`;
        lines.push(`addr add ${address6}/64 dev ${device} nodad`);
        member.addresses.push(address6);
      }
      await batch(member, lines);
    }
  }

  /** Starts a program outside any namespace of the lab, but owned by it; `Netns.spawn` is the one for inside. */
  async launch(
    options: RunOptions & { readonly name: string; readonly argv: readonly string[] },
  ): Promise<LabProcess> {
    if (this.#closed) throw new NetnsError('ERR_NETNS_CLOSED', `${options.name}: the lab is destroyed`);
    const launch = {
      name: options.name,
      argv: options.argv,
      env: {
        PATH: `${dirname(process.execPath)}:${SYSTEM_PATH}`,
        HOME: this.directory,
        LANG: 'C.UTF-8',
        [RUN_ID_VARIABLE]: this.runId,
        ...options.env,
      },
      logPath: join(this.directory, this.#logName(options.name)),
      cwd: options.cwd ?? this.directory,
      ...(options.input === undefined ? {} : { input: options.input }),
    };
    return LabProcess.launch(launch, (process_) => {
      this.#processes.add(process_);
      void process_.exited.then(() => this.#processes.delete(process_));
    });
  }

  /** Ends every process, and with them the namespaces, and removes the directory. Idempotent. */
  async destroy(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const ending = [...this.#processes];
    for (const process_ of ending) process_.killNow();
    await Promise.all(ending.map((process_) => process_.exited));
    this.#removeDirectory();
    live.delete(this);
    if (live.size === 0) removeExitHandlers();
  }

  /** The same as `destroy`, without waiting for the processes to be gone: for an exit handler. */
  destroyNow(): void {
    this.#closed = true;
    for (const process_ of this.#processes) process_.killNow();
    this.#removeDirectory();
    live.delete(this);
  }

  #removeDirectory(): void {
    if (!this.#keepDirectory) rmSync(this.directory, { recursive: true, force: true });
  }

  #logName(name: string): string {
    const count = (this.#logNames.get(name) ?? 0) + 1;
    this.#logNames.set(name, count);
    return count === 1 ? `${name}.log` : `${name}.${count}.log`;
  }
}

async function batch(netns: Netns, lines: readonly string[]): Promise<void> {
  await netns.must(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n`, name: 'ip' });
}

/** Whether a user id exists in this process's user namespace (user_namespaces(7), uid_map). */
function userIsMapped(uid: number): boolean {
  if (process.getuid?.() !== 0) return false;
  return readFileSync('/proc/self/uid_map', 'latin1')
    .trim()
    .split('\n')
    .some((line) => {
      const [inside, , count] = line.trim().split(/\s+/).map(Number) as [number, number, number];
      return uid >= inside && uid < inside + count;
    });
}

function destroyAllNow(): void {
  for (const lab of [...live]) lab.destroyNow();
}

const FATAL_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function onSignal(signal: NodeJS.Signals): void {
  destroyAllNow();
  removeExitHandlers();
  // A program that handles the signal itself decides what comes next; otherwise end as it would have without us.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function addExitHandlers(): void {
  process.on('exit', destroyAllNow);
  for (const signal of FATAL_SIGNALS) process.on(signal, onSignal);
}

function removeExitHandlers(): void {
  process.off('exit', destroyAllNow);
  for (const signal of FATAL_SIGNALS) process.off(signal, onSignal);
}
