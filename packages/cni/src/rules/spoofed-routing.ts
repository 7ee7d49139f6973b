import type { MarkRule, NetworkNamespace } from '@ambient/linux';
import { RoutingSocket } from '@ambient/linux';
import { RulesError } from './errors.ts';
import type { Family } from './iptables-text.ts';
import { MARK_MASK, SPOOFED_MARK, SPOOFED_RULE_PRIORITY, SPOOFED_TABLE } from './pod-rules.ts';

/** What of the routing for replies to spoofed connections is there, or should be. */
export interface SpoofedRouting {
  /** Times that the rule is there. */
  readonly rules: number;
  readonly route: boolean;
}

/** One change of it. */
export interface RoutingStep {
  readonly verb: 'add' | 'del';
  readonly what: 'rule' | 'route';
}

export const noRouting: SpoofedRouting = { rules: 0, route: false };

const rule: MarkRule = {
  mark: SPOOFED_MARK,
  mask: MARK_MASK,
  priority: SPOOFED_RULE_PRIORITY,
  table: SPOOFED_TABLE,
};
const everything: Readonly<Record<Family, string>> = { v4: '0.0.0.0/0', v6: '::/0' };
/** The kernel's number of `lo` in every namespace (LOOPBACK_IFINDEX). */
const LOOPBACK = 1;

/** Steps that make `wanted` of what is there; none when it is there already. */
export function planSpoofedRouting(present: SpoofedRouting, wanted: SpoofedRouting): RoutingStep[] {
  const steps: RoutingStep[] = [];
  for (let n = present.rules; n > wanted.rules; n--) steps.push({ verb: 'del', what: 'rule' });
  for (let n = present.rules; n < wanted.rules; n++) steps.push({ verb: 'add', what: 'rule' });
  if (present.route !== wanted.route) steps.push({ verb: wanted.route ? 'add' : 'del', what: 'route' });
  // A rule before its route, or after it, leads nowhere: then the next table answers, as without the rule.
  return steps;
}

/** What a step adds or removes, as ip(8) spells it. */
export function routingText({ what }: RoutingStep, family: Family): string {
  const tool = family === 'v4' ? 'ip -4' : 'ip -6';
  return what === 'rule'
    ? `${tool} rule fwmark ${hex(rule.mark)}/${hex(rule.mask)} pref ${rule.priority} lookup ${rule.table}`
    : `${tool} route local ${everything[family]} dev lo table ${SPOOFED_TABLE}`;
}

/** What a namespace has. @throws RulesError ERR_RULES_STEP */
export function readSpoofedRouting(namespace: NetworkNamespace, family: Family): SpoofedRouting {
  const version = versions[family];
  return withSocket(namespace, `list the routing rules and routes (IP${family})`, (socket) => ({
    rules: socket.countRules(version, rule),
    route: socket.hasLocalRoute(version, SPOOFED_TABLE, LOOPBACK),
  }));
}

/** Leaves `wanted` in a namespace: some microseconds, without a process. @throws RulesError ERR_RULES_STEP */
export function setSpoofedRouting(namespace: NetworkNamespace, family: Family, wanted: SpoofedRouting): void {
  const version = versions[family];
  const steps = planSpoofedRouting(readSpoofedRouting(namespace, family), wanted);
  if (steps.length === 0) return;
  withSocket(namespace, `set the routes for replies (IP${family})`, (socket) => {
    for (const { verb, what } of steps)
      if (what === 'rule')
        if (verb === 'add') socket.addRule(version, rule);
        else socket.removeRule(version, rule);
      else if (verb === 'add') socket.addLocalRoute(version, SPOOFED_TABLE, LOOPBACK);
      else socket.removeLocalRoute(version, SPOOFED_TABLE, LOOPBACK);
  });
}

const versions: Readonly<Record<Family, 4 | 6>> = { v4: 4, v6: 6 };

function withSocket<T>(namespace: NetworkNamespace, step: string, action: (socket: RoutingSocket) => T): T {
  try {
    using socket = namespace.enter(() => new RoutingSocket());
    return action(socket);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new RulesError('ERR_RULES_STEP', `${step}: ${text}`, { cause });
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
