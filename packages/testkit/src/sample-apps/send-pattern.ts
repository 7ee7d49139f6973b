import { once } from 'node:events';
import type { Socket } from 'node:net';
import { patternAt } from './pattern.ts';

/** Writes that many bytes of the pattern, at the pace of the reader; ends early if the socket is destroyed. */
export async function sendPattern(socket: Socket, bytes: number): Promise<void> {
  const closed = once(socket, 'close').catch(() => undefined);
  let sent = 0;
  while (sent < bytes && !socket.destroyed) {
    const slice = patternAt(sent, bytes - sent);
    sent += slice.length;
    if (!socket.write(slice)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
  }
}
