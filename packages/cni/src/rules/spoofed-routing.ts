import { MARK_MASK, SPOOFED_MARK, SPOOFED_RULE_PRIORITY, SPOOFED_TABLE } from './pod-rules.ts';
import type { Family } from './iptables-text.ts';

/** One line of `ip -j rule show`, what we read of it. */
interface ShownRule {
  readonly priority?: number;
  readonly fwmark?: string;
  readonly fwmask?: string;
  readonly table?: string;
}

/** One line of `ip -j route show`, what we read of it. */
interface ShownRoute {
  readonly type?: string;
  readonly dst?: string;
  readonly dev?: string;
  readonly table?: string;
}

/** What of the routing for replies to spoofed connections is there, or should be. */
export interface SpoofedRouting {
  /** Times that the rule is there. */
  readonly rules: number;
  readonly route: boolean;
}

export const noRouting: SpoofedRouting = { rules: 0, route: false };

const ruleText = `fwmark ${hex(SPOOFED_MARK)}/${hex(MARK_MASK)} pref ${SPOOFED_RULE_PRIORITY} lookup ${SPOOFED_TABLE}`;
const everything: Readonly<Record<Family, string>> = { v4: '0.0.0.0/0', v6: '::/0' };

/**
 * Reads what `ip -j` has printed.
 * @param rules of `ip -j rule show`
 * @param routes of `ip -j route show table all`
 * @throws SyntaxError when it is not JSON
 */
export function readSpoofedRouting(rules: string, routes: string): SpoofedRouting {
  const ours = list<ShownRule>(rules).filter(
    ({ priority, fwmark, fwmask, table }) =>
      priority === SPOOFED_RULE_PRIORITY &&
      fwmark === hex(SPOOFED_MARK) &&
      fwmask === hex(MARK_MASK) &&
      table === String(SPOOFED_TABLE),
  );
  const route = list<ShownRoute>(routes).some(
    ({ type, dst, dev, table }) =>
      type === 'local' && dst === 'default' && dev === 'lo' && table === String(SPOOFED_TABLE),
  );
  return { rules: ours.length, route };
}

/** Lines for `ip -batch` that make `wanted` of what is there; none when it is there already. */
export function planSpoofedRouting(
  present: SpoofedRouting,
  wanted: SpoofedRouting,
  family: Family,
): string[] {
  const lines: string[] = [];
  for (let n = present.rules; n > wanted.rules; n--) lines.push(`rule del ${ruleText}`);
  for (let n = present.rules; n < wanted.rules; n++) lines.push(`rule add ${ruleText}`);
  if (present.route !== wanted.route) {
    const verb = wanted.route ? 'add' : 'del';
    lines.push(`route ${verb} local ${everything[family]} dev lo table ${SPOOFED_TABLE}`);
  }
  // A rule before its route, or after it, leads nowhere: then the next table answers, as without the rule.
  return lines;
}

function list<T>(json: string): readonly T[] {
  return json.trim() === '' ? [] : (JSON.parse(json) as readonly T[]);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
