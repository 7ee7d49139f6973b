import { constants } from 'node:os';

const namesByErrno = new Map<number, string>(
  Object.entries(constants.errno).map(([name, errno]) => [errno, name]),
);

/** Name of an errno: its constant in `<errno.h>`. */
export type SystemErrorCode = `E${string}`;

/** Name of an errno value, `EAGAIN` for 11; `E<number>` where Linux has no name that Node knows. */
function errnoName(errno: number): SystemErrorCode {
  return (namesByErrno.get(errno) ?? `E${errno}`) as SystemErrorCode;
}

/**
 * What the errors mean that a proxy's calls meet in practice, and what an operator most likely has to do. Any other errno
 * may occur as well; errno(3) explains those.
 */
export const systemErrors = {
  EACCES: {
    meaning: 'the kernel does not permit the call',
    remedy: 'the process lacks a capability for this, usually CAP_NET_ADMIN or CAP_NET_BIND_SERVICE',
  },
  EADDRINUSE: {
    meaning: 'the address and port are taken',
    remedy: 'another process listens there already; stop it, or let both use SO_REUSEPORT under one user',
  },
  EADDRNOTAVAIL: {
    meaning: 'the address cannot be bound here',
    remedy:
      'no interface of this network namespace has the address, or its local ports are used up (net.ipv4.tcp_tw_reuse=1 there frees those of ended connections)',
  },
  EAFNOSUPPORT: {
    meaning: 'the address family is not supported',
    remedy: 'the kernel lacks this address family; set IPV6_ENABLED=false on an IPv4-only kernel',
  },
  ECONNREFUSED: {
    meaning: 'the destination refused the TCP connection',
    remedy: 'nothing listens on that port',
  },
  ECONNRESET: {
    meaning: 'the other side, or something between, reset the connection',
    remedy: "look into the other side's log: it has crashed, has cut the connection, or a firewall has",
  },
  EHOSTUNREACH: {
    meaning: 'the destination cannot be reached',
    remedy: 'no route, or a NetworkPolicy or firewall rejects the traffic',
  },
  EMFILE: {
    meaning: 'the process has no descriptor left',
    remedy: 'the process is out of file descriptors; raise its limit (ulimit -n, LimitNOFILE)',
  },
  ENETDOWN: {
    meaning: 'the network interface is down',
    remedy: 'check that the interface of the pod, or the loopback interface, is up',
  },
  ENETUNREACH: {
    meaning: 'there is no route to the destination',
    remedy: 'the network namespace has no route to the address',
  },
  ENFILE: {
    meaning: 'the machine has no descriptor left',
    remedy: 'the machine is out of file descriptors; raise fs.file-max',
  },
  ENOBUFS: {
    meaning: 'the kernel has no memory for sockets',
    remedy: 'the node is short of memory; see net.ipv4.tcp_mem and the memory limit of the pod',
  },
  ENOMEM: {
    meaning: 'the kernel has no memory for the call',
    remedy: 'the node is short of memory; see net.ipv4.tcp_mem and the memory limit of the pod',
  },
  EPERM: {
    meaning: 'the kernel does not permit the call',
    remedy: 'the process lacks a capability for this, usually CAP_NET_ADMIN or CAP_SYS_ADMIN',
  },
  EPIPE: {
    meaning: 'the other side had closed the connection while bytes were on their way to it',
    remedy: "look into the other side's log: it ended before it had read everything",
  },
  ETIMEDOUT: {
    meaning: 'the other side did not answer in time',
    remedy: 'the peer did not answer; a NetworkPolicy or firewall may drop the traffic',
  },
} as const satisfies Partial<Record<SystemErrorCode, { meaning: string; remedy: string }>>;

const rows: Readonly<Partial<Record<SystemErrorCode, { readonly remedy: string }>>> = systemErrors;

/** A system call failed. `code` is the errno's name and is stable. */
export class SystemError extends Error {
  readonly code: SystemErrorCode;
  readonly errno: number;
  readonly syscall: string;

  /** @param subject what the call was about, such as an address; appears in the text. */
  constructor(syscall: string, errno: number, subject?: string) {
    const code = errnoName(errno);
    const remedy = rows[code]?.remedy;
    super(
      `${syscall}${subject === undefined ? '' : ` ${subject}`}: ${code}${remedy === undefined ? '' : ` (${remedy})`}`,
    );
    this.name = 'SystemError';
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** A caller asked for bytes outside a buffer, or used a closed descriptor: a defect in this program, never a peer's doing. */
export class MisuseError extends Error {
  readonly code = 'MISUSE';
  constructor(message: string) {
    super(message);
    this.name = 'MisuseError';
  }
}
