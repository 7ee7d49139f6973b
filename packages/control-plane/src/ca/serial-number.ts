import { randomBytes } from 'node:crypto';

/** 128 random bits, positive, without a leading zero octet (RFC 5280 section 4.1.2.2 wants at least 64 that nobody guesses). */
export function randomSerial(): Buffer {
  const serial = randomBytes(16);
  if (serial[0] === 0) serial[0] = 1;
  return serial;
}
