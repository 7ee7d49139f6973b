import type { Clock, LogLevels, Readiness } from '@ambient/runtime';
import { connectionsEndpoint } from './connections-endpoint.ts';
import type { ConnectionSource } from './connections-endpoint.ts';
import { explainEndpoint } from './explain-endpoint.ts';
import type { ExplainPlace } from './explain.ts';
import { textReply } from './http-endpoint.ts';
import type { Endpoint } from './http-endpoint.ts';
import { loggingEndpoint } from './logging-endpoint.ts';
import { profileEndpoints } from './profile-endpoints.ts';

/** What the admin port shows and does; the app gives these, so that the server knows no part of the proxy. */
export interface AdminActions {
  /** The object of `/config_dump`; secrets must not be in it. */
  configDump(): object | Promise<object>;
  /** Of the data workers, as they are now. */
  connections: ConnectionSource['connections'];
  watchConnections: ConnectionSource['watchConnections'];
  /** What connections are decided by. */
  readonly place: ExplainPlace;
  readonly logLevels: LogLevels;
  /** The log levels are now `spec`; for the data workers. */
  logLevelsChanged(spec: string): void;
  /** Ends the process gracefully; called after the answer has gone out. */
  quit(): void;
  readonly clock: Clock;
}

/** Endpoints of the admin port (loopback only). */
export function adminEndpoints(actions: AdminActions): readonly Endpoint[] {
  const endpoints: Endpoint[] = [
    {
      method: 'GET',
      path: '/config_dump',
      doc: 'workloads, services, policies, certificates and settings as they are now, as JSON',
      async handle() {
        const dump = await actions.configDump();
        return {
          status: 200,
          contentType: 'application/json',
          body: `${JSON.stringify(dump, null, 2)}\n`,
        };
      },
    },
    connectionsEndpoint(actions),
    explainEndpoint(actions.place),
    loggingEndpoint(actions.logLevels, (spec) => actions.logLevelsChanged(spec)),
    {
      method: 'POST',
      path: '/quitquitquit',
      doc: 'end the process gracefully',
      handle: () => ({ ...textReply(200, 'shutdown now'), afterwards: () => actions.quit() }),
    },
    ...profileEndpoints(actions.clock),
  ];
  return [indexEndpoint(endpoints), ...endpoints];
}

function indexEndpoint(endpoints: readonly Endpoint[]): Endpoint {
  const rows = endpoints.map(({ method, path, doc }) => {
    // Only what can be fetched is a link: following one must not change anything.
    const name = method === 'GET' ? `<a href="${path}">${path}</a>` : path;
    return `<tr><td>${method}</td><td>${name}</td><td>${escapeHtml(doc)}</td></tr>`;
  });
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>ztunnel</title>
<h1>ztunnel</h1>
<table>
${rows.join('\n')}
</table>
</html>
`;
  return {
    method: 'GET',
    path: '/',
    doc: 'this page',
    handle: () => ({ status: 200, contentType: 'text/html; charset=utf-8', body: page }),
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What the metrics port needs: {@link MetricsRegistry} after the data workers' counts have been merged. */
export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Endpoints of the metrics port. */
export function statsEndpoints(metrics: MetricsPage): readonly Endpoint[] {
  return ['/metrics', '/stats/prometheus'].map((path) => ({
    method: 'GET',
    path,
    doc: 'metrics for Prometheus',
    async handle() {
      return { status: 200, contentType: metrics.contentType, body: await metrics.render() };
    },
  }));
}

/** Endpoint of the readiness port: 200 `ready`, or 500 with the names of what is awaited. */
export function readinessEndpoints(readiness: Readiness): readonly Endpoint[] {
  return [
    {
      method: 'GET',
      path: '/healthz/ready',
      doc: 'whether the proxy is ready',
      handle: () => textReply(readiness.ready ? 200 : 500, readiness.describe()),
    },
  ];
}
