import { IoBuffer } from '@ambient/linux';
import * as openssl from './openssl.ts';

/** The first traffic secrets of a session, by who writes with them (RFC 8446, section 7.1). */
export interface TrafficSecrets {
  client?: Buffer;
  server?: Buffer;
}

/** Lines of NSS's key log format, which SSL_CTX_set_keylog_callback(3) uses: a label, the client's random, a secret. */
const labels: readonly (readonly [label: string, side: keyof TrafficSecrets])[] = [
  ['CLIENT_TRAFFIC_SECRET_0 ', 'client'],
  ['SERVER_TRAFFIC_SECRET_0 ', 'server'],
];
/** The longest line: a label, 32 and 48 bytes in hexadecimal. */
const MAX_LINE_BYTES = 256;
const line = new IoBuffer(MAX_LINE_BYTES);

/** Of the session that goes on with its handshake now. */
let current: TrafficSecrets | undefined;
let callback = 0;

function take(_ssl: number, text: number): void {
  if (current === undefined) return;
  const length = Math.min(openssl.strlen(text), MAX_LINE_BYTES);
  openssl.memcpy(line.addressOf(0, length), text, length);
  for (const [label, side] of labels)
    if (line.bytes.toString('latin1', 0, label.length) === label) {
      const secret = line.bytes.toString('latin1', line.bytes.lastIndexOf(' ', length - 1) + 1, length);
      current[side] = Buffer.from(secret, 'hex');
    }
  line.bytes.fill(0);
}

/** What SSL_CTX_set_keylog_callback is given: tells secrets to `withSecrets` and to nobody else. One per thread. */
export function keyLogCallback(): number {
  return (callback ||= openssl.registerKeyLog(take));
}

/** Runs a step of a handshake; secrets that come up in it are put into `secrets`. */
export function withSecrets<T>(secrets: TrafficSecrets, step: () => T): T {
  current = secrets;
  try {
    return step();
  } finally {
    current = undefined;
  }
}
