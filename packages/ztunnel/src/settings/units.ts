/** Milliseconds. */
export const second = 1000;
export const minute = 60 * second;
export const MiB = 1024 * 1024;
