/**
 * The C library calls in use, declared once. Pointers and sizes are plain numbers: see IoBuffer.
 * Nothing outside this package and `tls` may import it.
 */
import koffi from 'koffi';

const library = koffi.load(null);

type Call = (...args: number[]) => number;

function declare(signature: string): Call {
  return library.func(signature);
}

/** errno of the last call on this thread. */
export const errno = (): number => koffi.errno() ?? 0;

type Settle = (error: Error | null, result: number) => void;

const pollCall = library.func('int poll(uint64_t, uint64_t, int)');

/** poll(2) in a thread of Node's pool; `settle` runs in the event loop. errno is lost: the thread is another one. */
export function pollInPool(descriptors: number, count: number, timeoutMs: number, settle: Settle): void {
  pollCall.async(descriptors, count, timeoutMs, settle);
}

export const epollCreate1 = declare('int epoll_create1(int)');
export const epollCtl = declare('int epoll_ctl(int, int, int, uint64_t)');
export const epollWait = declare('int epoll_wait(int, uint64_t, int, int)');
export const eventfd = declare('int eventfd(unsigned int, int)');
export const read = declare('int64_t read(int, uint64_t, uint64_t)');
export const write = declare('int64_t write(int, uint64_t, uint64_t)');
export const close = declare('int close(int)');
export const socket = declare('int socket(int, int, int)');
export const socketpair = declare('int socketpair(int, int, int, uint64_t)');
export const bind = declare('int bind(int, uint64_t, unsigned int)');
export const listen = declare('int listen(int, int)');
export const accept4 = declare('int accept4(int, uint64_t, uint64_t, int)');
export const connect = declare('int connect(int, uint64_t, unsigned int)');
export const shutdown = declare('int shutdown(int, int)');
export const recv = declare('int64_t recv(int, uint64_t, uint64_t, int)');
export const send = declare('int64_t send(int, uint64_t, uint64_t, int)');
export const recvfrom = declare('int64_t recvfrom(int, uint64_t, uint64_t, int, uint64_t, uint64_t)');
export const sendto = declare('int64_t sendto(int, uint64_t, uint64_t, int, uint64_t, unsigned int)');
export const recvmsg = declare('int64_t recvmsg(int, uint64_t, int)');
export const sendmsg = declare('int64_t sendmsg(int, uint64_t, int)');
export const getsockopt = declare('int getsockopt(int, int, int, uint64_t, uint64_t)');
export const setsockopt = declare('int setsockopt(int, int, int, uint64_t, unsigned int)');
export const getsockname = declare('int getsockname(int, uint64_t, uint64_t)');
export const getpeername = declare('int getpeername(int, uint64_t, uint64_t)');
export const setns = declare('int setns(int, int)');
export const unshare = declare('int unshare(int)');
export const fcntl = declare('int fcntl(int, int, int)');
export const pipe2 = declare('int pipe2(uint64_t, int)');
export const splice = declare('int64_t splice(int, uint64_t, int, uint64_t, uint64_t, unsigned int)');
export const inetNtop = declare('uint64_t inet_ntop(int, uint64_t, uint64_t, unsigned int)');
export const ifNametoindex = declare('unsigned int if_nametoindex(uint64_t)');
export const syscall = declare('int64_t syscall(int64_t, uint64_t, uint64_t, uint64_t, uint64_t)');
export const mallocTrim = declare('int malloc_trim(uint64_t)');
export const inetPton = declare('int inet_pton(int, uint64_t, uint64_t)');

export const EINTR = 4;
export const EAGAIN = 11;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOBUFS = 105;
export const ENOMEM = 12;
export const ECONNABORTED = 103;
export const EINPROGRESS = 115;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_PACKET = 17;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;

export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;

export const SOL_SOCKET = 1;
export const IPPROTO_IP = 0;
export const IPPROTO_TCP = 6;
export const IPPROTO_IPV6 = 41;
