import type { IoBuffer } from '@ambient/linux';

/**
 * Turns ciphertext into plaintext and back once the handshake of a session is done: takes it from the thread's read ring, puts
 * it into the session's write ring.
 */
export interface RecordLayer {
  /** Plaintext waits inside, for which there was no room: `open` gives more without new ciphertext. */
  readonly inside: boolean;
  /** After `open`: how the peer ended behind what was opened; 0 when it said that nothing more comes. */
  readonly end: 0 | Error | undefined;
  /** After `open`: an answer may lie in the write ring, which must be left empty for other sessions. */
  readonly mayAnswer: boolean;
  /** After `open`: bytes of plaintext. */
  readonly opened: number;

  /**
   * Decrypts what lies in the read ring, as far as there is room. An answer that it causes is put into the write ring.
   * @param length bytes of ciphertext from the ring's base on, which may end within a record
   * @param room bytes from `offset` on
   * @returns bytes of ciphertext used; what is left is given again, with more behind it
   */
  open(length: number, into: IoBuffer, offset: number, room: number): number;

  /**
   * Encrypts into the empty write ring.
   * @param from address of the plaintext
   * @param length at most MAX_WRITE_BYTES
   * @returns undefined, or why it failed
   */
  seal(from: number, length: number): Error | undefined;

  /** Puts close_notify into the write ring. */
  sealEnd(): void;

  /** Frees keys. */
  close(): void;
}
