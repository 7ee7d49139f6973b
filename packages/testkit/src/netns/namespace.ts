import { NetnsError } from './errors.ts';
import type { LabProcess } from './lab-process.ts';

/** Numeric id of Debian's and everybody else's `nobody`. */
export const NOBODY = 65_534;

export interface RunOptions {
  /** Added to the lab's clean environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user id, without supplementary groups. Only where the lab `canChangeUser`. */
  readonly uid?: number;
  readonly cwd?: string;
  readonly input?: string;
  /** Name in messages and of the log file; default the program's. */
  readonly name?: string;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  /** Both streams, as lines. */
  readonly output: readonly string[];
}

/** What a namespace needs of the lab that made it. */
export interface ProcessHost {
  readonly canChangeUser: boolean;
  launch(
    options: RunOptions & { readonly name: string; readonly argv: readonly string[] },
  ): Promise<LabProcess>;
}

/**
 * One network namespace: a "pod" or a "node" of a test. It lives as long as its holder process, which dies with the
 * process that made the lab, whatever way that one ends.
 */
export class Netns {
  readonly name: string;
  /** Addresses without prefix length, in the order in which networks were joined. */
  readonly addresses: string[] = [];
  readonly #host: ProcessHost;
  readonly #holder: LabProcess;
  #interfaces = 0;

  constructor(name: string, host: ProcessHost, holder: LabProcess) {
    this.name = name;
    this.#host = host;
    this.#holder = holder;
  }

  /** A file that names the namespace, to open or to pass to setns(2); valid until the lab is destroyed. */
  get path(): string {
    return `/proc/${this.#holder.pid}/ns/net`;
  }

  /** A process that does nothing but live in the namespace: /proc/PID/net is the namespace's. */
  get holderPid(): number {
    return this.#holder.pid;
  }

  /** The namespace's first IPv4 address. Throws before it has joined a network. */
  get ipv4(): string {
    return this.#address((ip) => !ip.includes(':'), 'IPv4');
  }

  /** The namespace's first IPv6 address. Throws before it has joined a network that has IPv6. */
  get ipv6(): string {
    return this.#address((ip) => ip.includes(':'), 'IPv6');
  }

  /** Starts a program inside; it ends at the latest with the lab. */
  spawn(argv: readonly string[], options: RunOptions = {}): Promise<LabProcess> {
    const { uid } = options;
    if (uid !== undefined && !this.#host.canChangeUser)
      throw new NetnsError(
        'ERR_NETNS_USER',
        `no user id ${uid} in this user namespace: run as root, or exempt the proxy by mark instead`,
      );
    // setpriv comes last: a change of user clears the parent-death signal, which it then sets.
    const user = uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
    return this.#host.launch({
      ...options,
      name: `${this.name}-${options.name ?? argv[0]!.split('/').pop()!}`,
      argv: ['nsenter', `--net=${this.path}`, 'setpriv', ...user, '--pdeathsig=KILL', '--', ...argv],
    });
  }

  /** Runs a program inside to its end. Rejects at the deadline (milliseconds); an exit code other than 0 is a result. */
  async run(argv: readonly string[], options: RunOptions = {}, deadlineMs = 30_000): Promise<CommandResult> {
    const command = await this.spawn(argv, options);
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      command.killNow();
    }, deadlineMs);
    const { code } = await command.exited;
    clearTimeout(deadline);
    if (late)
      throw new NetnsError('ERR_NETNS_DEADLINE', `${argv.join(' ')}: still running after ${deadlineMs} ms`);
    return { code: code ?? -1, stdout: command.stdout, output: command.lines };
  }

  /** As `run`, for set-up steps: an exit code other than 0 rejects with the command's output. Returns its stdout. */
  async must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.run(argv, options);
    if (result.code === 0) return result.stdout;
    throw new NetnsError(
      'ERR_NETNS_COMMAND',
      `in namespace ${this.name}: ${argv.join(' ')} gave ${result.code}:\n  ${result.output.join('\n  ')}`,
    );
  }

  /** Sets kernel settings of this namespace: names as in sysctl(8), below `net.`. */
  async sysctl(settings: Readonly<Record<string, string>>): Promise<void> {
    const script = Object.entries(settings)
      .map(([name, value]) => `echo '${value}' > /proc/sys/${name.replaceAll('.', '/')}`)
      .join(' && ');
    await this.must(['sh', '-c', script]);
  }

  /** The next free interface name, `eth0` on. */
  nextInterface(): string {
    this.#interfaces += 1;
    return `eth${this.#interfaces - 1}`;
  }

  #address(accept: (ip: string) => boolean, family: string): string {
    const found = this.addresses.find(accept);
    if (found !== undefined) return found;
    throw new NetnsError(
      'ERR_NETNS_COMMAND',
      `namespace ${this.name} has no ${family} address: join a network first`,
    );
  }
}
