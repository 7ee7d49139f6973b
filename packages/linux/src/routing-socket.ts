import * as libc from './libc.ts';
import { attribute32, eachAttribute, netlinkFlags, NetlinkSocket } from './netlink.ts';
import type { NetlinkMessage } from './netlink.ts';

const NETLINK_ROUTE = 0;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_GETRULE = 34;
/** struct rtmsg and struct fib_rule_hdr: rtnetlink(7). */
const MESSAGE_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_TABLE = 15;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FR_ACT_TO_TBL = 1;
const RTPROT_BOOT = 3;
const RT_SCOPE_HOST = 254;
const RTN_LOCAL = 2;
/** Multicast groups by their bits (group n is bit n - 1): IPv4 routes, IPv4 rules, IPv6 routes, IPv6 rules. */
const GROUPS = (1 << 6) | (1 << 7) | (1 << 10) | (1 << 18);

/** A rule that looks a marked packet's route up in a table: `ip rule ... fwmark MARK/MASK pref PRIORITY lookup TABLE`. */
export interface MarkRule {
  readonly mark: number;
  readonly mask: number;
  readonly priority: number;
  readonly table: number;
}

/**
 * Routing of the network namespace that the thread is in when it is made, what of it the mesh needs: rules for marks, and
 * routes by which everything is local.
 */
export class RoutingSocket {
  readonly #netlink = new NetlinkSocket(NETLINK_ROUTE, 'routing');

  /** How many times the rule is there. @throws SystemError */
  countRules(family: 4 | 6, rule: MarkRule): number {
    let count = 0;
    const body = header(family);
    this.#netlink.request(RTM_GETRULE, netlinkFlags.dump, body, ({ type, body: found }) => {
      if (type !== RTM_NEWRULE || found[0] !== body[0]) return;
      const values = numbersOf(found);
      if (
        values.get(FRA_PRIORITY) === rule.priority &&
        values.get(FRA_FWMARK) === rule.mark &&
        values.get(FRA_FWMASK) === rule.mask &&
        (values.get(FRA_TABLE) ?? found[4]) === rule.table
      )
        count++;
    });
    return count;
  }

  /** @throws SystemError */
  addRule(family: 4 | 6, rule: MarkRule): void {
    const flags = netlinkFlags.acknowledge | netlinkFlags.create | netlinkFlags.exclusive;
    this.#netlink.request(RTM_NEWRULE, flags, ruleBody(family, rule));
  }

  /** Removes the rule once. @throws SystemError */
  removeRule(family: 4 | 6, rule: MarkRule): void {
    this.#netlink.request(RTM_DELRULE, netlinkFlags.acknowledge, ruleBody(family, rule));
  }

  /** Whether the table has a route by which every address is local. @param device index of the loopback. @throws SystemError */
  hasLocalRoute(family: 4 | 6, table: number, device: number): boolean {
    let has = false;
    this.#netlink.request(RTM_GETROUTE, netlinkFlags.dump, header(family), ({ type, body }) => {
      // Fields of struct rtmsg: family, bits of the destination, of the source, TOS, table, protocol, scope, type.
      if (type !== RTM_NEWROUTE || body[1] !== 0 || body[7] !== RTN_LOCAL) return;
      const values = numbersOf(body);
      has ||=
        !values.has(RTA_DST) &&
        (values.get(RTA_TABLE) ?? body[4]) === table &&
        values.get(RTA_OIF) === device;
    });
    return has;
  }

  /** @throws SystemError */
  addLocalRoute(family: 4 | 6, table: number, device: number): void {
    const flags = netlinkFlags.acknowledge | netlinkFlags.create | netlinkFlags.exclusive;
    this.#netlink.request(RTM_NEWROUTE, flags, routeBody(family, table, device));
  }

  /** @throws SystemError */
  removeLocalRoute(family: 4 | 6, table: number, device: number): void {
    this.#netlink.request(RTM_DELROUTE, netlinkFlags.acknowledge, routeBody(family, table, device));
  }

  close(): void {
    this.#netlink.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Hears of changes of routing in the network namespace that the thread is in when it is made. */
export class RoutingChanges {
  readonly #netlink = new NetlinkSocket(NETLINK_ROUTE, 'changes of routing', GROUPS);

  /** To wait for changes with, of whatever table. */
  get fd(): number {
    return this.#netlink.fd;
  }

  /**
   * Whether rules, or routes of a table, have changed since the last call. One system call where nothing has.
   * @throws SystemError
   */
  take(table: number): boolean {
    let changed = false;
    const whole = this.#netlink.drain(({ type, body }: NetlinkMessage) => {
      if (type === RTM_NEWRULE || type === RTM_DELRULE) changed = true;
      else if (type === RTM_NEWROUTE || type === RTM_DELROUTE)
        changed ||= (numbersOf(body).get(RTA_TABLE) ?? body[4]) === table;
    });
    return changed || !whole;
  }

  close(): void {
    this.#netlink.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function header(family: 4 | 6): Buffer {
  const body = Buffer.alloc(MESSAGE_BYTES);
  body[0] = family === 4 ? libc.AF_INET : libc.AF_INET6;
  return body;
}

/** Body of a message about a rule: struct fib_rule_hdr and attributes. */
export function ruleBody(family: 4 | 6, { mark, mask, priority, table }: MarkRule): Buffer {
  const body = header(family);
  body[4] = table < 256 ? table : 0;
  body[7] = FR_ACT_TO_TBL;
  return Buffer.concat([
    body,
    attribute32(FRA_PRIORITY, priority),
    attribute32(FRA_FWMARK, mark),
    attribute32(FRA_FWMASK, mask),
    attribute32(FRA_TABLE, table),
  ]);
}

/** Body of a message about a route by which every address is local: struct rtmsg and attributes. */
export function routeBody(family: 4 | 6, table: number, device: number): Buffer {
  const body = header(family);
  body[4] = table < 256 ? table : 0;
  body[5] = RTPROT_BOOT;
  body[6] = RT_SCOPE_HOST;
  body[7] = RTN_LOCAL;
  return Buffer.concat([body, attribute32(RTA_TABLE, table), attribute32(RTA_OIF, device)]);
}

/** Attributes of 32 bits; of longer ones, such as addresses, that they are there. */
function numbersOf(body: Buffer): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  eachAttribute(body, MESSAGE_BYTES, (type, value) => {
    values.set(type, value.length === 4 ? value.readUInt32LE(0) : NaN);
  });
  return values;
}
