import { fstatSync } from 'node:fs';
import type { Descriptor } from '@ambient/linux';

/**
 * The network namespace of a pod, open for as long as somebody holds it: who waits to capture the pod, and the workers that
 * have sockets inside or are about to make some. Who makes it is the first holder.
 */
export class PodNamespace {
  /** `device:inode`, equal for two descriptors of one namespace. */
  readonly identity: string;
  readonly #descriptor: Descriptor;
  #holders = 1;

  /** @param descriptor owned from now on, also if this throws */
  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
    try {
      const { dev, ino } = fstatSync(descriptor.fd, { bigint: true });
      this.identity = `${dev}:${ino}`;
    } catch (error) {
      descriptor.close();
      throw error;
    }
  }

  /** The number, for all threads of the process. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  hold(): void {
    this.#holders++;
  }

  /** The last one who releases it closes it. */
  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#descriptor.close();
  }
}
