import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { CipherGCM } from 'node:crypto';
import { SnapshotError } from './errors.ts';

/** Of whom a snapshot is, and of when. It stands in the file in plain text, and is authenticated with the rest. */
export interface SnapshotHeader {
  readonly writtenAtMs: number;
  readonly nodeName: string;
  readonly clusterId: string;
  readonly network: string;
  readonly trustDomain: string;
}

// The file: magic, length of the header (32 bits, big-endian), header (JSON), nonce, ciphertext, tag.
const magic = Buffer.from('AMBSNAP1');
const nonceBytes = 12;
const tagBytes = 16;
const maxHeaderBytes = 4096;
const algorithm = 'aes-256-gcm';

/** Encrypts one snapshot piece by piece; the nonce is a random one of 96 bits (NIST SP 800-38D §8.2.2). */
export class SnapshotSealer {
  /** What the file begins with. */
  readonly head: Buffer;
  readonly #cipher: CipherGCM;

  constructor(key: Buffer, header: SnapshotHeader) {
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    const nonce = randomBytes(nonceBytes);
    this.head = Buffer.concat([magic, length, text, nonce]);
    this.#cipher = createCipheriv(algorithm, key, nonce);
    this.#cipher.setAAD(this.head);
  }

  update(plain: Uint8Array): Buffer {
    return this.#cipher.update(plain);
  }

  /** What the file ends with. */
  final(): Buffer {
    return Buffer.concat([this.#cipher.final(), this.#cipher.getAuthTag()]);
  }
}

/** The header of a file as it stands there, not yet authenticated. @throws SnapshotError SNAPSHOT_DAMAGED */
export function readSnapshotHeader(file: Buffer): { header: SnapshotHeader; end: number } {
  if (file.length < magic.length + 4 || !file.subarray(0, magic.length).equals(magic))
    throw new SnapshotError('SNAPSHOT_DAMAGED', 'the snapshot is not one, or of another version');
  const start = magic.length + 4;
  const end = start + file.readUInt32BE(magic.length);
  if (end - start > maxHeaderBytes || end + nonceBytes + tagBytes > file.length)
    throw new SnapshotError('SNAPSHOT_DAMAGED', 'the snapshot is cut');
  try {
    const header = JSON.parse(file.toString('utf8', start, end)) as SnapshotHeader | null;
    if (typeof header !== 'object' || header === null) throw new TypeError('not an object');
    return { header, end };
  } catch (cause) {
    throw new SnapshotError('SNAPSHOT_DAMAGED', 'the header of the snapshot is no JSON', { cause });
  }
}

/** What was sealed, once all of it is known to be what was written. @throws SnapshotError SNAPSHOT_DAMAGED */
export function openSnapshot(key: Buffer, file: Buffer): { header: SnapshotHeader; plain: Buffer } {
  const { header, end } = readSnapshotHeader(file);
  const body = end + nonceBytes;
  try {
    const decipher = createDecipheriv(algorithm, key, file.subarray(end, body), { authTagLength: tagBytes });
    decipher.setAAD(file.subarray(0, body));
    decipher.setAuthTag(file.subarray(file.length - tagBytes));
    const plain = decipher.update(file.subarray(body, file.length - tagBytes));
    decipher.final();
    return { header, plain };
  } catch (cause) {
    throw new SnapshotError(
      'SNAPSHOT_DAMAGED',
      'the snapshot was not sealed with the key of this node, or has changed since',
      {
        cause,
      },
    );
  }
}
