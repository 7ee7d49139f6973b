/** One HTTP request and its response, over HTTP/1.1 or HTTP/2 alike. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { parse as parseYaml } from 'yaml';

import { badRequest, tooLarge, unsupportedMediaType } from '../errors.ts';
import { decodeObject, NoProtobufError, protobufType } from '../protobuf/envelope.ts';

/** What Node has for HTTP/1.1; its HTTP/2 requests and responses have the same members. */
export type HttpRequest = IncomingMessage;
export type HttpResponse = ServerResponse;

/** What is left of HTTP after a request for another protocol. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What has come behind the request. */
  readonly head: Buffer;
}

/** Three megabytes, as the API server has it. */
const maxBodyBytes = 3 * 1024 * 1024;

/** @throws ApiError 413 */
export async function readBody(request: HttpRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The rest stays unread, but the connection has to live until the refusal is sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

export function mediaType(request: HttpRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

const jsonTypes = ['application/json', 'application/yaml'];
const objectTypes = [...jsonTypes, protobufType];

/**
 * A body that holds one object.
 *
 * @throws ApiError 400 for what cannot be parsed, 415 for a format that is not spoken
 */
export function parseObjectBody(type: string, body: Buffer): unknown {
  if (type === protobufType) return parseProtobufBody(body);
  if (type !== '' && type !== 'application/json' && type !== 'application/yaml')
    throw unsupportedMediaType(type, objectTypes);
  return type === 'application/yaml' ? parseYamlBody(body) : parseJsonBody(body);
}

function parseProtobufBody(body: Buffer): unknown {
  try {
    return decodeObject(body);
  } catch (error) {
    if (error instanceof NoProtobufError) throw unsupportedMediaType(protobufType, jsonTypes);
    throw error;
  }
}

export function parseJsonBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch (error) {
    throw badRequest(`the body of the request is not JSON: ${(error as Error).message}`, error);
  }
}

export function parseYamlBody(body: Buffer): unknown {
  try {
    // Aliases are refused: they let a small body stand for a huge object.
    return parseYaml(body.toString(), { logLevel: 'error', maxAliasCount: 0 }) as unknown;
  } catch (error) {
    throw badRequest(`the body of the request is not YAML: ${(error as Error).message}`, error);
  }
}

/** Sends a whole response. */
export function send(
  response: HttpResponse,
  code: number,
  contentType: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string | string[]>> = {},
): void {
  response.writeHead(code, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache, private',
    ...headers,
  });
  response.end(body);
}

export function sendJson(
  response: HttpResponse,
  code: number,
  value: unknown,
  headers: Readonly<Record<string, string | string[]>> = {},
): void {
  send(response, code, 'application/json', `${JSON.stringify(value)}\n`, headers);
}

/** Warning headers (RFC 7234 section 5.5) as kubectl prints them. */
export function warningHeaders(warnings: readonly string[]): Record<string, string[]> {
  if (warnings.length === 0) return {};
  const texts = [...new Set(warnings)].map(
    // A header holds no line breaks and no quotes that are not escaped.
    (text) => `299 - "${text.replace(/[\\"]/g, '\\$&').replace(/[^\t\x20-\x7e]/g, ' ')}"`,
  );
  return { warning: texts };
}
