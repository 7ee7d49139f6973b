import type { Reactor } from '@ambient/linux';

/** A turn that waits in vain ends after this, so that the test can look again. */
const TURN_MS = 20;

/**
 * Turns the reactor until something holds.
 * @param what for the message
 * @throws Error after `limitMs` of real time
 */
export function turnUntil(reactor: Reactor, what: string, holds: () => boolean, limitMs = 5000): void {
  const deadlineMs = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`in vain waited for: ${what}`);
    reactor.turn(TURN_MS);
  }
}

/** A few turns that do not wait: whatever is under way on loopback happens. */
export function settle(reactor: Reactor, turns = 20): void {
  for (let i = 0; i < turns; i++) reactor.turn(1);
}
