import { eachAttribute, netlinkFlags, NetlinkSocket } from './netlink.ts';
import { readIp } from './read-ip.ts';

const NETLINK_ROUTE = 0;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
/** struct ifaddrmsg: family, length of the prefix, flags, scope, index of the interface; rtnetlink(7). */
const MESSAGE_BYTES = 8;
const INDEX_AT = 4;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const AF_INET = 2;
const AF_INET6 = 10;
/** The kernel's number of `lo` in every namespace (LOOPBACK_IFINDEX). */
const LOOPBACK = 1;

/**
 * Addresses of all interfaces but `lo` in the network namespace that the thread is in, in canonical spelling. Those of an
 * interface that is down or has no carrier are among them, which `os.networkInterfaces` leaves out: whether it has one the
 * kernel finds out late on a node where many come and go.
 *
 * @throws SystemError
 */
export function interfaceAddresses(): readonly string[] {
  using netlink = new NetlinkSocket(NETLINK_ROUTE, 'addresses');
  const addresses: string[] = [];
  netlink.request(RTM_GETADDR, netlinkFlags.dump, Buffer.alloc(MESSAGE_BYTES), ({ type, body }) => {
    const address = type === RTM_NEWADDR ? readAddress(body) : undefined;
    if (address !== undefined) addresses.push(address);
  });
  return addresses;
}

/** Of RTM_NEWADDR behind its header; undefined for one of `lo`, or of neither IP. */
export function readAddress(body: Buffer): string | undefined {
  if (body.length < MESSAGE_BYTES || body.readUInt32LE(INDEX_AT) === LOOPBACK) return undefined;
  const family = body[0];
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const values = new Map<number, Buffer>();
  eachAttribute(body, MESSAGE_BYTES, (type, value) => values.set(type, value));
  // On a link between two the first is the other end's.
  const value = values.get(IFA_LOCAL) ?? values.get(IFA_ADDRESS);
  if (value?.length !== (family === AF_INET ? 4 : 16)) return undefined;
  return readIp(value, 0, family === AF_INET ? 4 : 6);
}
