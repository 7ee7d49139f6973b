import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { ServingCertificate } from '../ca/serving-certificate.ts';
import { reviewAdmission, VALIDATE_PATH } from '../validation/webhook.ts';

/** The API server sends objects of at most 3 MiB, old and new. */
const maxBodyBytes = 8 * 1024 * 1024;
const requestTimeoutMs = 30_000;

/** The admission webhook over HTTPS, with a certificate that is swapped as it is renewed. */
export function createWebhookServer(certificate: Pick<ServingCertificate, 'material' | 'onChange'>): {
  readonly server: Server;
  readonly swaps: Disposable;
} {
  const { cert, key } = certificate.material;
  const server = createServer({ cert, key, minVersion: 'TLSv1.2', requestTimeout: requestTimeoutMs }, handle);
  const swaps = certificate.onChange((material) =>
    server.setSecureContext({ cert: material.cert, key: material.key, minVersion: 'TLSv1.2' }),
  );
  return { server, swaps };
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').split('?')[0];
  if (path === '/ready') return answer(response, 200, { ready: true });
  if (path !== VALIDATE_PATH) return answer(response, 404, { error: `only ${VALIDATE_PATH} is served here` });
  if (request.method !== 'POST') return answer(response, 405, { error: 'an AdmissionReview is posted' });
  const chunks: Buffer[] = [];
  let length = 0;
  const take = (chunk: Buffer): void => {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= maxBodyBytes) return;
    request.off('data', take).off('end', judge);
    answer(response, 413, { error: `a request has at most ${maxBodyBytes} bytes` });
    // Whoever goes on sending is cut off, but not before it has been told.
    response.once('finish', () => request.destroy());
  };
  const judge = (): void => {
    let review: unknown;
    try {
      review = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    } catch (error) {
      answer(response, 400, { error: `the request is no JSON: ${(error as Error).message}` });
      return;
    }
    const { httpStatus, body } = reviewAdmission(review);
    answer(response, httpStatus, body);
  };
  request.on('data', take).on('end', judge);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
