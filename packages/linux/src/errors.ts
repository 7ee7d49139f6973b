import { constants } from 'node:os';

const namesByErrno = new Map<number, string>(
  Object.entries(constants.errno).map(([name, errno]) => [errno, name]),
);

/** Name of an errno value, `EAGAIN` for 11; `E<number>` where Linux has no name that Node knows. */
export function errnoName(errno: number): string {
  return namesByErrno.get(errno) ?? `E${errno}`;
}

const remedies: Readonly<Record<string, string>> = {
  EACCES: 'the process lacks a capability for this, usually CAP_NET_ADMIN or CAP_NET_BIND_SERVICE',
  EPERM: 'the process lacks a capability for this, usually CAP_NET_ADMIN or CAP_SYS_ADMIN',
  EADDRINUSE: 'another process listens there already; stop it, or let both use SO_REUSEPORT under one user',
  EADDRNOTAVAIL: 'no interface of this network namespace has the address, or its local ports are used up',
  EAFNOSUPPORT: 'the kernel lacks this address family; set IPV6_ENABLED=false on an IPv4-only kernel',
  ECONNREFUSED: 'nothing listens on that port',
  EHOSTUNREACH: 'no route, or a NetworkPolicy or firewall rejects the traffic',
  EMFILE: 'the process is out of file descriptors; raise its limit (ulimit -n, LimitNOFILE)',
  ENETUNREACH: 'the network namespace has no route to the address',
  ENFILE: 'the machine is out of file descriptors; raise fs.file-max',
  ETIMEDOUT: 'the peer did not answer; a NetworkPolicy or firewall may drop the traffic',
};

/** A system call failed. `code` is the errno's name and is stable. */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  /** @param subject what the call was about, such as an address; appears in the text. */
  constructor(syscall: string, errno: number, subject?: string) {
    const code = errnoName(errno);
    const remedy = remedies[code];
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
