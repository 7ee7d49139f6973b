import { Agent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

import type { Webhook } from './webhook.ts';

/** Where a webhook is. */
export interface WebhookEndpoint {
  readonly url: string;
  /** What its certificate must be for. */
  readonly serverName: string;
  /** PEM; undefined: the system's roots. */
  readonly roots: string | undefined;
}

/** Where a port of a service is reached from here, such as `127.0.0.1:9443`; undefined if nothing serves it. */
export type ServiceResolver = (
  namespace: string,
  name: string,
  port: number,
) => { readonly host: string; readonly port: number } | undefined;

/** Sends a review and returns the body of the answer; throws WebhookCallError for anything but a 200. */
export type CallWebhook = (endpoint: WebhookEndpoint, body: string, timeoutMs: number) => Promise<string>;

/** A webhook could not be asked. The message is what `failed calling webhook "NAME": ` goes on with. */
export class WebhookCallError extends Error {
  override readonly name = 'WebhookCallError';
  readonly code = 'webhook-call';
}

/** @throws {WebhookCallError} the configuration names no place, or a service without an endpoint */
export function endpointOf({ clientConfig }: Webhook, resolve: ServiceResolver): WebhookEndpoint {
  const { url, service, caBundle } = clientConfig;
  const roots =
    caBundle === undefined || caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString();
  if (url !== undefined) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== 'https:')
      throw new WebhookCallError(`failed to call webhook: "${url}" is not an https URL`);
    return { url, serverName: parsed.hostname.replace(/^\[|\]$/g, ''), roots };
  }
  if (service === undefined)
    throw new WebhookCallError('failed to call webhook: clientConfig has neither url nor service');
  const { namespace, name, path = '', port = 443 } = service;
  const at = resolve(namespace, name, port);
  if (at === undefined)
    throw new WebhookCallError(
      `failed to call webhook: no endpoints available for service "${name}" in namespace "${namespace}"`,
    );
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  return {
    url: `https://${host}:${at.port}/${path.replace(/^\//, '')}`,
    serverName: `${name}.${namespace}.svc`,
    roots,
  };
}

/** Larger answers are no review: objects are limited to a few megabytes. */
const maxAnswerBytes = 8 * 1024 * 1024;

/** Opens a TCP connection to an address of the cluster's network. */
export type DialPod = (address: string, port: number) => Socket;

/** Asks webhooks over HTTPS. Each call has a connection of its own, and ends with it. */
export function webhookCaller(dial: DialPod | undefined): CallWebhook {
  return (endpoint, body, timeoutMs) => callOverHttps(endpoint, body, timeoutMs, dial);
}

function callOverHttps(
  endpoint: WebhookEndpoint,
  body: string,
  timeoutMs: number,
  dial: DialPod | undefined,
): Promise<string> {
  const { hostname, port } = new URL(endpoint.url);
  const trust = {
    // Addresses are checked against the certificate, but never sent as a name (RFC 6066 §3).
    ...(isIP(endpoint.serverName) === 0 ? { servername: endpoint.serverName } : {}),
    ...(endpoint.roots === undefined ? {} : { ca: endpoint.roots }),
  };
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown): void =>
      reject(new WebhookCallError(`failed to call webhook: Post "${endpoint.url}": ${message}`, { cause }));
    const signal = AbortSignal.timeout(timeoutMs);
    const call = httpsRequest(
      endpoint.url,
      {
        method: 'POST',
        agent:
          dial === undefined
            ? false
            : agentOf(() => dial(hostname.replace(/^\[|\]$/g, ''), Number(port || 443)), trust),
        signal,
        ...trust,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          size += chunk.length;
          if (size > maxAnswerBytes) call.destroy(new Error('the answer is too large'));
        });
        response.on('error', (error) => fail(error.message, error));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(text);
          else
            fail(
              `an error on the server ("${text.slice(0, 512)}") has prevented the request from succeeding`,
            );
        });
      },
    );
    call.on('error', (error) => fail(signal.aborted ? 'context deadline exceeded' : error.message, error));
    call.end(body);
  });
}

/** An agent for one request, over a connection that is opened by `dial`. */
function agentOf(dial: () => Socket, trust: ConnectionOptions): Agent {
  const agent = new Agent();
  agent.createConnection = () => connectTls({ ...trust, socket: dial() });
  return agent;
}
