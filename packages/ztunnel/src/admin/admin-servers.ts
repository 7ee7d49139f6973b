import type { Logger, Readiness } from '@ambient/runtime';
import type { ZtunnelSettings } from '../settings.ts';
import { adminEndpoints, readinessEndpoints, statsEndpoints } from './admin-endpoints.ts';
import type { AdminActions, MetricsPage } from './admin-endpoints.ts';
import { HttpEndpoint } from './http-endpoint.ts';

/** The three ports for operators: admin on loopback, metrics and readiness on every address. */
export interface AdminServers extends AsyncDisposable {
  readonly admin: HttpEndpoint;
  readonly stats: HttpEndpoint;
  readonly readiness: HttpEndpoint;
}

/**
 * Binds the ports of the settings.
 *
 * @throws ListenError, with nothing left open
 */
export async function listenAdminServers(
  settings: Pick<ZtunnelSettings, 'ports' | 'ipv6Enabled'>,
  parts: {
    readonly actions: AdminActions;
    readonly metrics: MetricsPage;
    readonly readiness: Readiness;
    readonly logger: Logger;
  },
): Promise<AdminServers> {
  const { ports, ipv6Enabled } = settings;
  const loopback = ipv6Enabled ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
  const any = ipv6Enabled ? ['0.0.0.0', '::'] : ['0.0.0.0'];
  await using stack = new AsyncDisposableStack();
  const listen = async (...args: Parameters<typeof HttpEndpoint.listen>): Promise<HttpEndpoint> =>
    stack.use(await HttpEndpoint.listen(...args));
  const admin = await listen(
    'admin',
    { hosts: loopback, port: ports.admin },
    adminEndpoints(parts.actions),
    parts.logger,
  );
  const stats = await listen(
    'stats',
    { hosts: any, port: ports.stats },
    statsEndpoints(parts.metrics),
    parts.logger,
  );
  const readiness = await listen(
    'readiness',
    { hosts: any, port: ports.readiness },
    readinessEndpoints(parts.readiness),
    parts.logger,
  );
  const owned = stack.move();
  return { admin, stats, readiness, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
