import { request as plainRequest } from 'node:http';
import type { ClientRequest } from 'node:http';
import type { RequestOptions } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** No answer came within the time allowed. */
export class HttpTimeoutError extends Error {
  override readonly name = 'HttpTimeoutError';
  readonly code = 'ERR_HTTP_TIMEOUT';
}

/** What is told of a call while it has no answer. */
export interface CallWatch {
  /** The server has said nothing for so long, not even that it is at work (1xx; RFC 9110 section 15.2). */
  readonly silence?: { readonly afterMs: number; readonly onSilent: () => void };
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

/** An object of Kubernetes has at most 1.5 MiB in etcd; nothing that is asked for here is larger. */
const MAX_BODY_BYTES = 4 << 20;

/**
 * One request and its whole answer.
 * @param options of Node's http; `socketPath` for a Unix socket. Without an `agent`, the connection serves this request alone
 * @param timeoutMs for all of it
 * @param begin begins the request. That of node:https is not imported here: it takes longer to load than all else together
 * @throws HttpTimeoutError, or Node's own error with its `code`; the reason of `signal`
 */
export function httpCall(
  options: RequestOptions,
  body: string | undefined,
  timeoutMs: number,
  begin: (options: RequestOptions) => ClientRequest = plainRequest,
  { silence, signal }: CallWatch = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = begin({ agent: false, ...options });
    let fault: Error | undefined;
    // Once an answer has begun, Node tells of a destroyed request as of a reset.
    const giveUp = (error: Error): void => {
      fault = error;
      request.destroy(error);
    };
    const deadline = setTimeout(
      () => giveUp(new HttpTimeoutError(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const patience = silence && setTimeout(silence.onSilent, silence.afterMs);
    const onHeard = (): void => clearTimeout(patience);
    request.once('information', onHeard);
    signal?.addEventListener('abort', () => giveUp(signal.reason as Error), { once: true });
    const end = (settle: () => void): void => {
      clearTimeout(deadline);
      onHeard();
      settle();
    };
    request.once('error', (error) => end(() => reject(fault ?? error)));
    request.once('response', (response) => {
      onHeard();
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MAX_BODY_BYTES) giveUp(new Error(`an answer longer than ${MAX_BODY_BYTES} bytes`));
      });
      response.once('error', (error) => end(() => reject(fault ?? error)));
      response.once('end', () =>
        end(() =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        ),
      );
    });
    request.end(body);
  });
}
