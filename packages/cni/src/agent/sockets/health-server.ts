import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricsRegistry, Readiness } from '@ambient/runtime';
import { AgentError } from '../errors.ts';

/** `/healthz`: the process runs; `/readyz`: pods that start are captured, and the plugin is installed. */
export function createHealthServer(readiness: Readiness): Server {
  return createServer((request, response) => {
    const text = (status: number, body: string): void => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${body}\n`);
    };
    switch (request.url) {
      case '/healthz':
        return text(200, 'ok');
      case '/readyz':
        return text(readiness.ready ? 200 : 503, readiness.describe());
      default:
        return text(404, 'served here: /healthz, /readyz');
    }
  });
}

/** `/metrics`, for Prometheus. */
export function createMetricsServer(metrics: MetricsRegistry): Server {
  const serve: RequestListener = (request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('served here: /metrics\n');
      return;
    }
    void metrics.render().then((body) => {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(body);
    });
  };
  return createServer(serve);
}

/** @returns the port, of interest if 0 was asked for @throws AgentError ERR_AGENT_LISTEN naming the setting */
export function listenTcp(server: Server, port: number, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new AgentError('ERR_AGENT_LISTEN', `cannot listen on port ${port} (${setting}): ${cause.message}`, {
          cause,
        }),
      ),
    );
    server.listen(port, () => resolve((server.address() as AddressInfo).port));
  });
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
