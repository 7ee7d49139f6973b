import * as libc from './libc.ts';

/**
 * Gives the pages that the C library's heaps hold and nobody uses back to the kernel, those of all threads: malloc_trim(3).
 * By itself the library gives back no more than what lies at the end of a heap.
 *
 * @returns whether there was anything to give back
 */
export function trimHeaps(): boolean {
  return libc.mallocTrim(0) === 1;
}
