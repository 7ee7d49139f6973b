import type { Clock } from '@ambient/runtime';

import type { CommandRequest, CommandStreams } from './remote-command.ts';
import type { SpdyConnection } from './spdy/spdy-connection.ts';
import type { SpdyStream } from './spdy/spdy-stream.ts';

/** How long a client has to open the streams that it asked for. */
const streamsTimeoutMs = 10_000;

/** A client did not open the streams that its request names. */
export class MissingStreamsError extends Error {
  readonly code = 'SPDY_STREAMS_MISSING';
  constructor(missing: readonly string[]) {
    super(
      `the client has opened no stream ${missing.join(', ')} within ${streamsTimeoutMs / 1000} s; try it again`,
    );
    this.name = 'MissingStreamsError';
  }
}

/**
 * Waits for the streams of a remote command (protocol v4): each says in header `streamType` what it is.
 *
 * @throws MissingStreamsError
 */
export async function spdyCommandStreams(
  connection: SpdyConnection,
  request: CommandRequest,
  clock: Clock,
): Promise<CommandStreams> {
  const wanted = new Set(['error']);
  for (const name of ['stdin', 'stdout', 'stderr'] as const) if (request[name]) wanted.add(name);
  if (request.tty) wanted.add('resize');
  const streams = new Map<string, SpdyStream>();
  const gone = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const missing = (): MissingStreamsError =>
    new MissingStreamsError([...wanted].filter((name) => !streams.has(name)));
  using _timer = clock.setTimer(streamsTimeoutMs, () => reject(missing()));
  connection.on('close', () => {
    gone.abort();
    reject(missing());
  });
  connection.on('stream', (stream) => {
    const type = stream.headers.get('streamtype') ?? '';
    if (!wanted.has(type) || streams.has(type)) {
      stream.destroy();
      return;
    }
    streams.set(type, stream);
    // Of these nothing is expected, or of use: a terminal's size.
    if (type !== 'stdin') stream.resume();
    if (streams.size === wanted.size) resolve();
  });
  connection.start();
  await promise;
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    gone: gone.signal,
    finish(status) {
      streams.get('stdout')?.end();
      streams.get('stderr')?.end();
      streams.get('error')!.end(Buffer.from(JSON.stringify(status)), () => connection.end());
    },
  };
}
