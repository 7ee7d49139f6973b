/** Ports of the applications in the server's namespace, the same in every column. */
export const PORTS = {
  iperf: 5201,
  http: 8080,
  /** nginx's own counters, never captured. */
  httpStatus: 8081,
  echo: 7007,
} as const;

/** What is captured, in the order in which HAProxy's hops number their frontends. */
export const APPLICATION_PORTS: readonly number[] = [PORTS.iperf, PORTS.http, PORTS.echo];

/** Where an HBONE proxy listens; Istio's numbers. */
export const PROXY_PORTS = { outbound: 15_001, hbone: 15_008, stats: 15_020, readiness: 15_021 } as const;
