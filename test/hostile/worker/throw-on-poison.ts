/**
 * Loaded before the proxy (`node --import`): slips in our own code that no test of ours knows. A connection to
 * `SLIP_PORT` makes the data worker throw while it accepts; one to `COLLAPSE_PORT` makes it throw again whenever
 * it would say so, until nothing in the worker is left to catch it. One to `HOARD_PORT` fills its heap.
 */
import { isMainThread } from 'node:worker_threads';
import { TcpSocket } from '@ambient/linux';
import { Logger } from '@ambient/runtime';

export const SLIP_PORT = 7666;
export const COLLAPSE_PORT = 7667;
export const HOARD_PORT = 7668;

// Both are put back as methods: `this` is the object.
/* eslint-disable @typescript-eslint/unbound-method */
const { originalDestination } = TcpSocket.prototype;
const { log } = Logger.prototype;
/* eslint-enable @typescript-eslint/unbound-method */

TcpSocket.prototype.originalDestination = function (this: TcpSocket) {
  const destination = originalDestination.call(this);
  if (destination?.port === SLIP_PORT) throw new TypeError('a slip');
  if (destination?.port === COLLAPSE_PORT) throw new TypeError('a collapse');
  if (destination?.port === HOARD_PORT) hoard();
  return destination;
};

function hoard(): void {
  const hoarded: number[][] = [];
  for (;;) hoarded.push(Array.from({ length: 100_000 }, (_, index) => index + 0.5));
}

Logger.prototype.log = function (this: Logger, ...line: Parameters<typeof log>) {
  const error = line[2]?.['error'];
  if (!isMainThread && typeof error === 'string' && error.startsWith('a collapse'))
    throw new TypeError('a collapse, again');
  log.apply(this, line);
};
