import type { SocketAddress } from '@ambient/linux';

/** Questions in a row that a server must leave without an answer to count as down: one may be lost, or too hard for it. */
const FAILURES_UNTIL_DOWN = 3;
/** How long a server that is down is asked only after the others, and then once more (RFC 8767 section 5: up to 30 s). */
const DOWN_MS = 10_000;

interface Server {
  readonly address: SocketAddress;
  failures: number;
  downUntilMs: number;
}

/** Which upstream servers answer, as one pod sees them: a NetworkPolicy may part one pod from servers that others reach. */
export class UpstreamHealth {
  readonly #servers: readonly Server[];

  /** @param servers in the order of preference, one at least */
  constructor(servers: readonly SocketAddress[]) {
    this.#servers = servers.map((address) => ({ address, failures: 0, downUntilMs: -Infinity }));
  }

  /** In which order to ask now: those that are down last. */
  order(nowMs: number): readonly SocketAddress[] {
    const up = this.#servers.filter((server) => server.downUntilMs <= nowMs);
    const down = this.#servers.filter((server) => server.downUntilMs > nowMs);
    return [...up, ...down].map(({ address }) => address);
  }

  /** No server has answered of late: to wait for one is most likely in vain. */
  allDown(nowMs: number): boolean {
    for (const server of this.#servers) if (server.downUntilMs <= nowMs) return false;
    return true;
  }

  /** The server has answered, whatever it said. */
  answered(address: SocketAddress): void {
    for (const server of this.#servers) {
      if (server.address !== address) continue;
      server.failures = 0;
      server.downUntilMs = -Infinity;
    }
  }

  /** The server has not answered in time, or cannot be reached. */
  failed(address: SocketAddress, nowMs: number): void {
    for (const server of this.#servers) {
      if (server.address !== address) continue;
      server.failures++;
      if (server.failures >= FAILURES_UNTIL_DOWN) server.downUntilMs = nowMs + DOWN_MS;
    }
  }
}
